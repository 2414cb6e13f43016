namespace ManagedServers.Workflows.RabbitMq;

/// <summary>Where the broker is and who signs in there, secrets included: for those who connect, never to be shown.</summary>
internal sealed record RabbitMqSettings
{
    public const int PlainPort = 5672;
    public const int TlsPort = 5671;

    /// <summary>What there is before anybody has said anything.</summary>
    public static readonly RabbitMqSettings None = new();

    /// <summary>Changes whenever somebody changes anything.</summary>
    public string Version { get; init; } = "";
    public Guid Id { get; init; } = Guid.CreateVersion7();
    public bool Enabled { get; init; }
    public string Host { get; init; } = "";
    public int Port { get; init; } = PlainPort;
    public string VirtualHost { get; init; } = "/";
    public string User { get; init; } = "";
    public string? Password { get; init; }

    /// <summary>Whom hosts sign in as; null where that is <see cref="User"/>.</summary>
    public string? HostUser { get; init; }
    public string? HostPassword { get; init; }
    public bool Tls { get; init; }

    /// <summary>The only authority whose signature the broker's certificate may have, in PEM; needed with TLS.</summary>
    public string? Authority { get; init; }
    public string Exchange { get; init; } = "managed-servers";
    public string Queue { get; init; } = "managed-servers.statistics";
    public string? ChangedBy { get; init; }
    public DateTime? ChangedAt { get; init; }

    /// <summary>As hosts sign in.</summary>
    public RabbitMqSettings ForHosts => HostUser is null ? this : this with { User = HostUser, Password = HostPassword };

    /// <summary>What would be another one there; of a secret only that it is.</summary>
    public IReadOnlyList<StoredChange> ChangesTo(RabbitMqSettings other) => StoredChange.Of(
        new("enabled", Enabled ? "yes" : "no", other.Enabled ? "yes" : "no"), Text("host", Host, other.Host), new("port", $"{Port}", $"{other.Port}"), new("virtual host", VirtualHost, other.VirtualHost),
        Text("user", User, other.User), Secret("password", Password, other.Password), Text("hosts' user", HostUser, other.HostUser), Secret("hosts' password", HostPassword, other.HostPassword),
        new("TLS", Tls ? "yes" : "no", other.Tls ? "yes" : "no"), Authority == other.Authority ? null : new("authority", Authority is null ? null : "one", other.Authority is null ? null : "another one"),
        new("exchange", Exchange, other.Exchange), new("queue", Queue, other.Queue));

    private static StoredChange Text(string thing, string? from, string? to) => new(thing, string.IsNullOrEmpty(from) ? null : from, string.IsNullOrEmpty(to) ? null : to);

    private static StoredChange? Secret(string thing, string? from, string? to) => from == to ? null : new(thing, from is null ? null : "one", to is null ? null : from is null ? "one, not shown" : "another one");

    // A record prints all its members otherwise.
    public override string ToString() => $"{User}@{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}{(Tls ? " with TLS" : "")}";
}

/// <summary>What an operator changes; null leaves a thing as it is.</summary>
public sealed record RabbitMqChange
{
    public bool? Enabled { get; init; }

    /// <summary>Name or address of the broker, as the product and the hosts reach it.</summary>
    public string? Host { get; init; }

    /// <summary>5672, or 5671 with TLS, where it was never said.</summary>
    public int? Port { get; init; }
    public string? VirtualHost { get; init; }

    /// <summary>Needs the rights to configure, to write and to read in the virtual host.</summary>
    public string? User { get; init; }
    public string? Password { get; init; }

    /// <summary>Whom hosts sign in as: needs no right but to write to the exchange. Empty: the product's own user.</summary>
    public string? HostUser { get; init; }
    public string? HostPassword { get; init; }
    public bool? Tls { get; init; }

    /// <summary>The authority to trust, in PEM; needed with TLS.</summary>
    public string? Authority { get; init; }
    public string? Exchange { get; init; }
    public string? Queue { get; init; }

    public override string ToString() => $"{nameof(RabbitMqChange)} {Host}";
}

/// <summary>The settings as they are shown: without their secrets, and with what became of them.</summary>
public sealed record RabbitMqOverview
{
    public required bool Enabled { get; init; }
    public required string Host { get; init; }
    public required int Port { get; init; }
    public required string VirtualHost { get; init; }
    public required string User { get; init; }
    public required bool HasPassword { get; init; }
    public required string? HostUser { get; init; }
    public required bool Tls { get; init; }
    public required string? Authority { get; init; }
    public required string Exchange { get; init; }
    public required string Queue { get; init; }

    /// <summary>Where what was refused is kept, with the reason.</summary>
    public required string DeadLetterQueue { get; init; }
    public required string? ChangedBy { get; init; }
    public required DateTimeOffset? ChangedAt { get; init; }

    /// <summary>How each node of the product stands to the broker.</summary>
    public required IReadOnlyList<RabbitMqNode> Nodes { get; init; }

    /// <summary>Servers whose monitors send over RabbitMQ.</summary>
    public required IReadOnlyList<string> Servers { get; init; }
}

/// <param name="Reason">Why it is not connected, or who holds it up; null when all is well.</param>
public sealed record RabbitMqNode(string Node, RabbitMqState State, string? Reason, DateTimeOffset Since);

public enum RabbitMqState
{
    /// <summary>Not enabled.</summary>
    Off,
    Connected,

    /// <summary>The broker cannot be reached, or refuses; tried again by itself.</summary>
    Failed,
}

/// <summary>What a test has found.</summary>
public sealed record RabbitMqTest(bool Ok, IReadOnlyList<RabbitMqCheck> Checks);

/// <param name="Name">Who signed in: the product, or a host.</param>
/// <param name="Problem">What was tried, what came back and what to do; null when it is well.</param>
public sealed record RabbitMqCheck(string Name, bool Ok, string? Problem);
