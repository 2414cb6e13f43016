namespace ManagedServers.Workflows.Access;

/// <summary>A person, or a server's own user (then <see cref="ServerId"/> is set).</summary>
public sealed record Account
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public required string[] Groups { get; init; }
    public Guid? ServerId { get; init; }

    /// <summary>Changes with the password, so that a sign-in made before ends.</summary>
    public string Stamp { get; init; } = "";
}
