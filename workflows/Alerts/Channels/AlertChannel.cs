using System.Text.Json.Serialization;

namespace ManagedServers.Workflows.Alerts;

/// <summary>How a channel is told.</summary>
public enum ChannelKind
{
    /// <summary>A signed POST of JSON.</summary>
    Webhook,
    Email,

    /// <summary>The broker of the RabbitMQ settings, a topic exchange.</summary>
    Rabbitmq,
}

public enum MailSecurity
{
    None,

    /// <summary>Plain at first, encrypted before anything is said; refused where that cannot be.</summary>
    Starttls,

    /// <summary>Encrypted from the first byte.</summary>
    Tls,
}

/// <summary>What of a channel is no secret; a member without meaning for its kind is null.</summary>
public sealed record ChannelSettings
{
    /// <summary>Of a webhook: scheme, host and port. The rest of the address may let its bearer in, and is a secret.</summary>
    public string? Origin { get; init; }
    public string? Host { get; init; }
    public int? Port { get; init; }
    public MailSecurity? Security { get; init; }
    public string? User { get; init; }
    public string? From { get; init; }
    public IReadOnlyList<string>? To { get; init; }

    /// <summary>The only authority that is trusted, in PEM; null: those of the system.</summary>
    public string? Authority { get; init; }

    /// <summary>With which RabbitMQ routes: this word, a dot, and the severity or <c>test</c>.</summary>
    public string? RoutingKey { get; init; }
}

/// <summary>Stored encrypted, as one.</summary>
/// <param name="Url">Of a webhook.</param>
/// <param name="Key">With which a webhook's messages are signed.</param>
/// <param name="Password">Of a mail server.</param>
internal sealed record ChannelSecrets(string? Url = null, string? Key = null, string? Password = null)
{
    // A record prints all its members otherwise.
    public override string ToString() => nameof(ChannelSecrets);
}

/// <summary>Whom to notify, as it is shown: without its secrets.</summary>
public sealed record AlertChannel
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public required bool Enabled { get; init; }
    public required ChannelKind Kind { get; init; }

    /// <summary>Less severe alerts are not told.</summary>
    public required AlertSeverity Severity { get; init; }
    public required ChannelSettings Settings { get; init; }

    /// <summary>A webhook's messages are signed, or a mail server is signed in on.</summary>
    public required bool HasSecret { get; init; }
    public DateTimeOffset? ChangedAt { get; init; }
    public string? ChangedBy { get; init; }

    [JsonIgnore]
    internal ChannelSecrets Secrets { get; init; } = new();

    public override string ToString() => $"{Name} ({AlertWords.Of(Kind)})";
}

/// <summary>A channel to be added, or what is changed about one; null leaves a thing as it is.</summary>
public sealed record ChannelRequest
{
    public string? Name { get; init; }
    public bool? Enabled { get; init; }

    /// <summary>Needed for a new one; never changed.</summary>
    public ChannelKind? Kind { get; init; }
    public AlertSeverity? Severity { get; init; }

    /// <summary>Of a webhook: http or https.</summary>
    public string? Url { get; init; }

    /// <summary>With which a webhook's messages are signed; empty: not at all.</summary>
    public string? Secret { get; init; }

    /// <summary>Of the mail server.</summary>
    public string? Host { get; init; }

    /// <summary>587 with STARTTLS, 465 with TLS, 25 without, where it was never said.</summary>
    public int? Port { get; init; }
    public MailSecurity? Security { get; init; }

    /// <summary>Empty: nobody signs in.</summary>
    public string? User { get; init; }
    public string? Password { get; init; }
    public string? From { get; init; }
    public IReadOnlyList<string>? To { get; init; }

    /// <summary>Empty: those of the system.</summary>
    public string? Authority { get; init; }
    public string? RoutingKey { get; init; }

    public override string ToString() => $"{nameof(ChannelRequest)} {Name}";
}

/// <param name="Problem">What was tried, what came back and what to do; null when it is well.</param>
public sealed record ChannelTest(bool Ok, string? Problem);

public sealed class ChannelNotFoundException(string name) : Exception($"There is no channel '{name}'. All of them: msctl alerts channels list");
