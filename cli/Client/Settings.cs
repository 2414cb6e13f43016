using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ManagedServers.Cli.Client;

/// <summary>Settings that are saved together, as they are or were.</summary>
public sealed record SettingsModule
{
    /// <summary>Its name.</summary>
    public required string Module { get; init; }

    /// <summary>Counts the changes; 0: as it comes with the product.</summary>
    public long Version { get; init; }

    /// <summary>All members.</summary>
    public required JsonObject Value { get; init; }

    /// <summary>When; null for version 0.</summary>
    public DateTimeOffset? ChangedAt { get; init; }

    /// <summary>By whom; null for version 0.</summary>
    public string? ChangedBy { get; init; }
}

/// <summary>What operators set for the whole product.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class SettingsApi(ProductHttp http)
{
    private const string Root = "/api/v2/settings";

    /// <summary>All modules.</summary>
    public Task<Answer<Page<SettingsModule>>> List(CancellationToken cancellationToken = default) => http.Get(Root, ClientJson.Default.PageSettingsModule, cancellationToken);

    /// <summary>One module.</summary>
    public Task<Answer<SettingsModule>> Get(string module, CancellationToken cancellationToken = default) => http.Get($"{Root}/{Query.Part(module)}", ClientJson.Default.SettingsModule, cancellationToken);

    /// <summary>What was set, newest first.</summary>
    public Task<Answer<Page<SettingsModule>>> History(string module, CancellationToken cancellationToken = default) =>
        http.Get($"{Root}/{Query.Part(module)}/history", ClientJson.Default.PageSettingsModule, cancellationToken);

    /// <summary>Sets what is named.</summary>
    /// <param name="module">Its name.</param>
    /// <param name="change">A JSON merge patch: null takes a member back to what it is at first.</param>
    /// <param name="version">Only if it is still of this version.</param>
    public static ChangeRequest<SettingsModule> Change(string module, JsonObject change, long? version) =>
        new(HttpMethod.Patch, $"{Root}/{Query.Part(module)}{(version is { } seen ? string.Create(CultureInfo.InvariantCulture, $"?version={seen}") : "")}", change.ToJsonString(), ClientJson.Default.SettingsModule);

    private const string RabbitMqPath = "/api/v2/settings/rabbitmq";

    // The product signs in twice, and waits for a broker that may not answer.
    private static readonly TimeSpan Remote = TimeSpan.FromMinutes(2);

    /// <summary>The RabbitMQ settings.</summary>
    public Task<Answer<RabbitMqSettings>> RabbitMq(CancellationToken cancellationToken = default) =>
        http.Get(RabbitMqPath, ClientJson.Default.RabbitMqSettings, cancellationToken);

    /// <summary>Changes them.</summary>
    public static ChangeRequest<RabbitMqSettings> SetRabbitMq(RabbitMqChange change) =>
        new(HttpMethod.Patch, RabbitMqPath, JsonSerializer.Serialize(change, ClientJson.Default.RabbitMqChange), ClientJson.Default.RabbitMqSettings);

    /// <summary>Signs in as the product and as a host, with what is stored or with what is given.</summary>
    public Task<Answer<RabbitMqTest>> TestRabbitMq(RabbitMqChange change, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Post, $"{RabbitMqPath}/test", JsonSerializer.Serialize(change, ClientJson.Default.RabbitMqChange), ClientJson.Default.RabbitMqTest, limit: Remote, cancellationToken: cancellationToken);
}

/// <summary>The RabbitMQ settings; their passwords are never given out.</summary>
public sealed record RabbitMqSettings
{
    /// <summary>The product takes what monitors send over it.</summary>
    public bool Enabled { get; init; }

    /// <summary>Name or address.</summary>
    public string? Host { get; init; }

    /// <summary>Port.</summary>
    public int Port { get; init; }

    /// <summary>Virtual host.</summary>
    public string? VirtualHost { get; init; }

    /// <summary>Whom the product signs in as.</summary>
    public string? User { get; init; }

    /// <summary>A password is stored.</summary>
    public bool HasPassword { get; init; }

    /// <summary>Whom hosts sign in as; as the product if null.</summary>
    public string? HostUser { get; init; }

    /// <summary>With TLS.</summary>
    public bool Tls { get; init; }

    /// <summary>The authority to trust, in PEM.</summary>
    public string? Authority { get; init; }

    /// <summary>Where monitors send to.</summary>
    public string? Exchange { get; init; }

    /// <summary>What the product reads.</summary>
    public string? Queue { get; init; }

    /// <summary>Where what was refused is kept, with the reason.</summary>
    public string? DeadLetterQueue { get; init; }

    /// <summary>Who changed them last.</summary>
    public string? ChangedBy { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset? ChangedAt { get; init; }

    /// <summary>How each node of the product stands to the broker.</summary>
    public IReadOnlyList<RabbitMqNode> Nodes { get; init; } = [];

    /// <summary>Servers whose monitors send over it.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];
}

/// <summary>How a node stands to the broker.</summary>
/// <param name="Node">Its name.</param>
/// <param name="State"><c>off</c>, <c>connected</c> or <c>failed</c>.</param>
/// <param name="Reason">Why it is not connected.</param>
/// <param name="Since">Since when.</param>
public sealed record RabbitMqNode(string Node, string State, string? Reason, DateTimeOffset Since);

/// <summary>What is changed; null leaves a thing as it is. It carries secrets: it is sent, never printed.</summary>
public sealed record RabbitMqChange
{
    /// <summary>Take what monitors send over it.</summary>
    public bool? Enabled { get; init; }

    /// <summary>Name or address.</summary>
    public string? Host { get; init; }

    /// <summary>Port.</summary>
    public int? Port { get; init; }

    /// <summary>Virtual host.</summary>
    public string? VirtualHost { get; init; }

    /// <summary>Whom the product signs in as.</summary>
    public string? User { get; init; }

    /// <summary>With this password.</summary>
    public string? Password { get; init; }

    /// <summary>Whom hosts sign in as; empty: as the product.</summary>
    public string? HostUser { get; init; }

    /// <summary>With this password.</summary>
    public string? HostPassword { get; init; }

    /// <summary>With TLS.</summary>
    public bool? Tls { get; init; }

    /// <summary>The authority to trust, in PEM.</summary>
    public string? Authority { get; init; }

    /// <summary>Where monitors send to.</summary>
    public string? Exchange { get; init; }

    /// <summary>What the product reads.</summary>
    public string? Queue { get; init; }

    /// <inheritdoc />
    public override string ToString() => $"{nameof(RabbitMqChange)} {Host}";
}

/// <summary>What a test has found.</summary>
/// <param name="Ok">Both may do what they must.</param>
/// <param name="Checks">The product's sign-in and a host's.</param>
public sealed record RabbitMqTest(bool Ok, IReadOnlyList<RabbitMqCheck> Checks);

/// <summary>A sign-in.</summary>
/// <param name="Name">Whose.</param>
/// <param name="Ok">It may do what it must.</param>
/// <param name="Problem">What went wrong.</param>
public sealed record RabbitMqCheck(string Name, bool Ok, string? Problem);
