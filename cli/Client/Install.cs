using System.Text.Json;

namespace ManagedServers.Cli.Client;

/// <summary>What to install on a server.</summary>
public sealed record InstallRequest : CommandsRequest
{
    /// <summary>Components, for example <c>dns</c> and <c>monitor</c>; those that are configured here if null.</summary>
    public IReadOnlyList<string>? Components { get; init; }

    /// <summary>Zones to serve; null where DNS is not installed.</summary>
    public IReadOnlyList<Zone>? Zones { get; init; }

    /// <summary>Zones that are served now and not named here may go; not if null.</summary>
    public bool? DropZones { get; init; }

    /// <summary>Zones that are signed now need be so no longer; they must if null.</summary>
    public bool? DropDnssec { get; init; }

    /// <summary>Keys that the zones name and the server does not have yet.</summary>
    public IReadOnlyList<TsigKey>? Keys { get; init; }

    /// <summary>Where DNS is to listen; on every IPv4 address, port 53, if null.</summary>
    public IReadOnlyList<Listen>? Listen { get; init; }

    /// <summary><c>https</c> or <c>rabbitmq</c>: how the monitor sends what it counts; <c>pull</c>: the product fetches all that is measured. As now if null.</summary>
    public string? Statistics { get; init; }

    /// <summary>Kea's Dhcp4 document; what DHCP serves now if null.</summary>
    public JsonElement? Dhcp { get; init; }

    /// <summary>Subnets that are served now and not in the document may go; not if null.</summary>
    public bool? DropSubnets { get; init; }
}

/// <summary>Which commands are run around a change, for this once.</summary>
public record CommandsRequest
{
    /// <summary>Before the first change; those chosen for the server if null.</summary>
    public IReadOnlyList<OperatorCommand>? PreCommands { get; init; }

    /// <summary>The same for after the last change.</summary>
    public IReadOnlyList<OperatorCommand>? PostCommands { get; init; }
}

/// <summary>Commands that are run for their own sake.</summary>
/// <param name="Commands">In this order.</param>
public sealed record RunCommandsRequest(IReadOnlyList<OperatorCommand> Commands);

/// <summary>A zone: as a zone file, as records, or as a secondary. What is not named is as the server has it.</summary>
/// <param name="Name">For example <c>example.org</c>.</param>
/// <param name="File">The text of the zone file; null where there are records or primaries.</param>
public sealed record Zone(string Name, string? File)
{
    /// <summary>A list of <c>{"address","port","key"}</c>: where a secondary zone comes from.</summary>
    public JsonElement? Primaries { get; init; }

    /// <summary>The same: servers that are told of a new serial, and may transfer the zone.</summary>
    public JsonElement? Notify { get; init; }

    /// <summary>A list of <c>{"address","key"}</c>: who else may transfer it.</summary>
    public JsonElement? AllowTransfer { get; init; }

    /// <summary>A boolean: it is signed.</summary>
    public JsonElement? Dnssec { get; init; }

    /// <summary>A list of <c>{"name","type","data","ttl","text"}</c>; the product writes the zone file.</summary>
    public JsonElement? Records { get; init; }

    /// <summary>With records: primary, contact, serial and times in seconds; the product's defaults for what is left out.</summary>
    public JsonElement? Soa { get; init; }

    /// <summary>With records: seconds; the product's default if null.</summary>
    public JsonElement? Ttl { get; init; }
}

/// <summary>A key for transfers (TSIG).</summary>
/// <param name="Name">What both sides call it.</param>
/// <param name="Algorithm">For example <c>hmac-sha256</c>.</param>
/// <param name="Secret">Base64; null where it is not shown.</param>
public sealed record TsigKey(string Name, string Algorithm, string? Secret)
{
    /// <inheritdoc />
    public override string ToString() => Name;
}

/// <summary>An address to listen on.</summary>
/// <param name="Address">An IP address of the host, or the unspecified one for all.</param>
/// <param name="Port">Port, UDP and TCP.</param>
public sealed record Listen(string Address, int Port);

/// <summary>A command of the catalogue, by its name alone, or one that an operator wrote for this once.</summary>
public sealed record OperatorCommand
{
    /// <summary>What it is called in the plan.</summary>
    public required string Name { get; init; }

    /// <summary>POSIX shell text; null for one of the catalogue.</summary>
    public string? Command { get; init; }

    /// <summary>How long it may take; the product's default when null.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>Whether it may be run again when nobody knows how far it came.</summary>
    public bool Repeatable { get; init; }

    /// <summary>Run as root, or as the user who logs in; as root if null.</summary>
    public bool? AsRoot { get; init; }
}

/// <summary>Which components of a server.</summary>
/// <param name="Components">All that are installed when null.</param>
public sealed record ComponentsRequest(IReadOnlyList<string>? Components);

/// <summary>Which components are started, stopped or restarted.</summary>
/// <param name="Components">All that are installed when null.</param>
public sealed record ControlRequest(IReadOnlyList<string>? Components) : CommandsRequest;

/// <summary>A request about a server that starts a run, or shows what the run would do.</summary>
/// <param name="Path">Where it is posted to.</param>
/// <param name="Body">JSON; null for none.</param>
public sealed record RunRequest(string Path, string? Body)
{
    /// <inheritdoc />
    public override string ToString() => Path;   // a body may hold a secret
}

/// <summary>The run that was started, or that the same idempotency key had started before.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Enrolment">What to run on the host, where the product has no login there.</param>
public sealed record StartedRun(Guid RunId, HostEnrolment? Enrolment = null)
{
    /// <summary>Runs that it waits for, the next one to end first.</summary>
    public IReadOnlyList<RunSummary> Ahead { get; init => field = value ?? []; } = [];
}

/// <summary>What is taken to a host on which the product has no login. It may carry a secret: to a terminal or a file of the operator's only.</summary>
/// <param name="Line">To paste on the host.</param>
/// <param name="Token">Asked for by the line; given once.</param>
/// <param name="ExpiresAt">Until when.</param>
public sealed record HostEnrolment(string Line, string? Token, DateTimeOffset? ExpiresAt);

/// <summary>A new enrolment token.</summary>
/// <param name="ValidMinutes">How long it is good; the product's default when null.</param>
public sealed record EnrolmentRequest(int? ValidMinutes);
