using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using ManagedServers.Engine;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Servers;
using Npgsql;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>How a run about a server is started, whatever it does.</summary>
internal static class RunAbout
{
    /// <param name="idempotencyKey">The same key for another workflow is another request.</param>
    /// <param name="also">Statements that are committed with the run.</param>
    /// <param name="isLast">The server's state is told by it; not for runs that leave what is installed alone.</param>
    public static Task<StartedRun> StartAbout<TWorkflow, TInput>(
        this IRuns runs, Server server, TInput input, string who, string? idempotencyKey, Func<NpgsqlTransaction, Task>? also, CancellationToken cancellationToken, bool isLast = true)
        where TWorkflow : IWorkflow<TInput>
        where TInput : notnull
    {
        // Whatever a run is, if it works over SSH it cannot work here.
        if (server.Installation == InstallationType.Manual && !WaitsForHost.Kinds.Contains(typeof(TWorkflow).GetCustomAttribute<WorkflowAttribute>()!.Kind))
        {
            throw Servers.Servers.NoLogin(server);
        }

        var kind = typeof(TWorkflow).GetCustomAttribute<WorkflowAttribute>()!.Kind;
        var start = new StartRun
        {
            RequestedBy = who,
            Subject = server.Subject,
            // Hashed, because a name and a key together may be longer than the engine takes.
            DedupeKey = idempotencyKey is null ? null : $"{server.Id}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{who}\0{kind}\0{idempotencyKey}")))}",
        };
        return runs.Start<TWorkflow, TInput>(input, start, async (transaction, run) =>
        {
            await (also?.Invoke(transaction) ?? Task.CompletedTask);
            await (isLast ? Servers.Servers.SetLastRun(transaction, server.Id, run) : Task.CompletedTask);
        }, cancellationToken);
    }
}
