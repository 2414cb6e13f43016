namespace ManagedServers.Workflows.Hosts;

public sealed record DockerVersion(string Engine, string Api, string Os, string Architecture);

public sealed record DockerImage(string Id, IReadOnlyList<string> Tags, IReadOnlyDictionary<string, string> Labels, long SizeBytes);

public sealed record DockerContainer
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary>The reference it was made from.</summary>
    public required string Image { get; init; }

    public required string ImageId { get; init; }

    /// <summary><c>created</c>, <c>running</c>, <c>restarting</c>, <c>exited</c>, …</summary>
    public required string State { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>As they were asked for: <c>/host/folder:/container/folder:ro</c>.</summary>
    public IReadOnlyList<string> Binds { get; init; } = [];

    public required int ExitCode { get; init; }

    public required int RestartCount { get; init; }

    /// <summary>Null when it never ran.</summary>
    public required DateTimeOffset? StartedAt { get; init; }

    public bool IsRunning => State == "running";

    /// <summary>Its processes are there, with what they hold, and do nothing.</summary>
    public bool IsPaused => State == "paused";
}

/// <summary>A short-lived container: to validate a configuration with the very image that will serve it.</summary>
public sealed record ThrowAway
{
    /// <summary>Whose it is, such as the idempotency key of a step: it has one at a time, and a new one takes the place of one that was left.</summary>
    public required string Owner { get; init; }

    public required string Image { get; init; }

    /// <summary>Replaces entrypoint and command of the image.</summary>
    public required IReadOnlyList<string> Argv { get; init; }

    /// <summary>Host folder to container folder, with <c>:ro</c> where it must not write: <c>/var/lib/x:/etc/knot:ro</c>.</summary>
    public IReadOnlyList<string> Binds { get; init; } = [];

    /// <summary>Files that only this container has, by their paths below a folder of it; null for none. They go with it.</summary>
    public GivenFiles? Files { get; init; }

    /// <summary>Null: no network at all.</summary>
    public string? Network { get; init; }

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    public int OutputLimit { get; init; } = 1 << 20;
}

/// <param name="Folder">In the container.</param>
public sealed record GivenFiles(string Folder, IReadOnlyDictionary<string, byte[]> Files);
