using System.Text.Json;

namespace ManagedServers.Cli.Client;

/// <summary>Whom alerts are told to; without secrets.</summary>
public sealed record AlertChannel
{
    /// <summary>Unique.</summary>
    public required string Name { get; init; }

    /// <summary>It is told.</summary>
    public bool Enabled { get; init; }

    /// <summary><c>webhook</c>, <c>email</c> or <c>rabbitmq</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The least severity that is told.</summary>
    public required string Severity { get; init; }

    /// <summary>Where it leads.</summary>
    public required ChannelSettings Settings { get; init; }

    /// <summary>It is signed, or signed in.</summary>
    public bool HasSecret { get; init; }

    /// <summary>Who changed it last.</summary>
    public string? ChangedBy { get; init; }
}

/// <summary>What of a channel is no secret.</summary>
/// <param name="Origin">Of a webhook: scheme, host and port.</param>
/// <param name="Host">Of the mail server.</param>
/// <param name="Port">Of the mail server.</param>
/// <param name="Security"><c>none</c>, <c>starttls</c> or <c>tls</c>.</param>
/// <param name="User">Whom the product signs in as.</param>
/// <param name="From">Sender.</param>
/// <param name="To">Recipients.</param>
/// <param name="Authority">The only one that is trusted, in PEM.</param>
/// <param name="RoutingKey">Of RabbitMQ.</param>
public sealed record ChannelSettings(
    string? Origin = null, string? Host = null, int? Port = null, string? Security = null, string? User = null, string? From = null, IReadOnlyList<string>? To = null, string? Authority = null, string? RoutingKey = null);

/// <summary>A channel to be added, or what is changed about one; null leaves a thing as it is. It carries secrets: it is sent, never printed.</summary>
public sealed record ChannelChange
{
    /// <inheritdoc cref="AlertChannel.Name"/>
    public string? Name { get; init; }

    /// <inheritdoc cref="AlertChannel.Enabled"/>
    public bool? Enabled { get; init; }

    /// <inheritdoc cref="AlertChannel.Kind"/>
    public string? Kind { get; init; }

    /// <inheritdoc cref="AlertChannel.Severity"/>
    public string? Severity { get; init; }

    /// <summary>Of a webhook.</summary>
    public string? Url { get; init; }

    /// <summary>With which a webhook's messages are signed.</summary>
    public string? Secret { get; init; }

    /// <inheritdoc cref="ChannelSettings.Host"/>
    public string? Host { get; init; }

    /// <inheritdoc cref="ChannelSettings.Port"/>
    public int? Port { get; init; }

    /// <inheritdoc cref="ChannelSettings.Security"/>
    public string? Security { get; init; }

    /// <inheritdoc cref="ChannelSettings.User"/>
    public string? User { get; init; }

    /// <summary>Of the mail server.</summary>
    public string? Password { get; init; }

    /// <inheritdoc cref="ChannelSettings.From"/>
    public string? From { get; init; }

    /// <inheritdoc cref="ChannelSettings.To"/>
    public IReadOnlyList<string>? To { get; init; }

    /// <inheritdoc cref="ChannelSettings.Authority"/>
    public string? Authority { get; init; }

    /// <inheritdoc cref="ChannelSettings.RoutingKey"/>
    public string? RoutingKey { get; init; }

    /// <inheritdoc />
    public override string ToString() => $"{nameof(ChannelChange)} {Name}";
}

/// <summary>What became of a test.</summary>
/// <param name="Ok">It was taken.</param>
/// <param name="Problem">What went wrong.</param>
public sealed record ChannelTest(bool Ok, string? Problem);

/// <summary>Alerts, rules, maintenance and channels.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class AlertsApi(ProductHttp http)
{
    private const string Root = "/api/v2/alerts";

    // The product waits for a server that may not answer.
    private static readonly TimeSpan Remote = TimeSpan.FromMinutes(2);

    /// <summary>A page of alerts, the newest first.</summary>
    public Task<Answer<Page<Alert>>> List(string? state, string? server, string? before, CancellationToken cancellationToken = default) =>
        http.Get(new Query(Root).With("state", state).With("server", server).With("before", before).With("limit", 200).ToString(), ClientJson.Default.PageAlert, cancellationToken);

    /// <summary>A page of servers with their states.</summary>
    public Task<Answer<Page<ServerHealth>>> Health(string? state, string? after, CancellationToken cancellationToken = default) =>
        http.Get(new Query("/api/v2/monitoring/health").With("state", state).With("after", after).With("limit", 200).ToString(), ClientJson.Default.PageServerHealth, cancellationToken);

    /// <summary>All rules.</summary>
    public Task<Answer<Page<AlertRule>>> Rules(CancellationToken cancellationToken = default) => http.Get($"{Root}/rules", ClientJson.Default.PageAlertRule, cancellationToken);

    /// <summary>One rule.</summary>
    public Task<Answer<AlertRule>> Rule(string name, CancellationToken cancellationToken = default) => http.Get($"{Root}/rules/{Query.Part(name)}", ClientJson.Default.AlertRule, cancellationToken);

    /// <summary>Adds a rule.</summary>
    public static ChangeRequest<AlertRule> AddRule(AlertRuleChange rule) => new(HttpMethod.Post, $"{Root}/rules", Text(rule), ClientJson.Default.AlertRule);

    /// <summary>Changes a rule.</summary>
    public static ChangeRequest<AlertRule> EditRule(string name, AlertRuleChange rule) => new(HttpMethod.Patch, $"{Root}/rules/{Query.Part(name)}", Text(rule), ClientJson.Default.AlertRule);

    /// <summary>Removes a rule.</summary>
    public static ChangeRequest<object> RemoveRule(string name) => new(HttpMethod.Delete, $"{Root}/rules/{Query.Part(name)}", null, null);

    /// <summary>What a rule finds now.</summary>
    /// <param name="name">The rule; null: a new one.</param>
    /// <param name="rule">The new one, or what is tried otherwise.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Answer<AlertPreview>> Preview(string? name, AlertRuleChange rule, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Post, $"{Root}/rules/{(name is null ? "" : $"{Query.Part(name)}/")}preview", Text(rule), ClientJson.Default.AlertPreview, limit: Remote, cancellationToken: cancellationToken);

    /// <summary>Windows that are, will be or were.</summary>
    public Task<Answer<Page<MaintenanceWindow>>> Maintenance(CancellationToken cancellationToken = default) => http.Get($"{Root}/maintenance", ClientJson.Default.PageMaintenanceWindow, cancellationToken);

    /// <summary>Adds a window.</summary>
    public static ChangeRequest<MaintenanceWindow> AddMaintenance(NewMaintenance window) =>
        new(HttpMethod.Post, $"{Root}/maintenance", JsonSerializer.Serialize(window, ClientJson.Default.NewMaintenance), ClientJson.Default.MaintenanceWindow);

    /// <summary>Ends a window.</summary>
    public static ChangeRequest<object> EndMaintenance(Guid id) => new(HttpMethod.Delete, $"{Root}/maintenance/{id}", null, null);

    /// <summary>All channels.</summary>
    public Task<Answer<Page<AlertChannel>>> Channels(CancellationToken cancellationToken = default) => http.Get($"{Root}/channels", ClientJson.Default.PageAlertChannel, cancellationToken);

    /// <summary>Adds a channel.</summary>
    public static ChangeRequest<AlertChannel> AddChannel(ChannelChange channel) => new(HttpMethod.Post, $"{Root}/channels", Text(channel), ClientJson.Default.AlertChannel);

    /// <summary>Changes a channel.</summary>
    public static ChangeRequest<AlertChannel> EditChannel(string name, ChannelChange channel) => new(HttpMethod.Patch, $"{Root}/channels/{Query.Part(name)}", Text(channel), ClientJson.Default.AlertChannel);

    /// <summary>Removes a channel.</summary>
    public static ChangeRequest<object> RemoveChannel(string name) => new(HttpMethod.Delete, $"{Root}/channels/{Query.Part(name)}", null, null);

    /// <summary>Sends a test.</summary>
    public Task<Answer<ChannelTest>> TestChannel(string name, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Post, $"{Root}/channels/{Query.Part(name)}/test", null, ClientJson.Default.ChannelTest, limit: Remote, cancellationToken: cancellationToken);

    private static string Text(AlertRuleChange rule) => JsonSerializer.Serialize(rule, ClientJson.Default.AlertRuleChange);

    private static string Text(ChannelChange channel) => JsonSerializer.Serialize(channel, ClientJson.Default.ChannelChange);
}
