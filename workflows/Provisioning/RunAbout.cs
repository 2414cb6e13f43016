using System.Security.Cryptography;
using System.Text;
using ManagedServers.Engine;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>How a run about a server is started, whatever it does.</summary>
internal static class RunAbout
{
    /// <param name="kind">The workflow: the same key for another one is another request.</param>
    public static StartRun Server(Server server, string kind, string who, string? idempotencyKey) => new()
    {
        RequestedBy = who,
        Subject = server.Subject,
        // Hashed, because a name and a key together may be longer than the engine takes.
        DedupeKey = idempotencyKey is null ? null : $"{server.Id}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{who}\0{kind}\0{idempotencyKey}")))}",
    };
}
