namespace ManagedServers.Workflows.Servers;

/// <summary>No server has this id or name.</summary>
public sealed class ServerNotFoundException(string idOrName)
    : Exception($"There is no server '{(idOrName.Length > 100 ? idOrName[..100] + "…" : idOrName)}'. The names of all servers are listed by 'msctl servers list'.");

/// <summary>The server is not in a state for what was asked; the message says why and what to do.</summary>
public sealed class ServerConflictException(string code, string message) : Exception(message)
{
    /// <summary>Stable, for programs.</summary>
    public string Code { get; } = code;
}
