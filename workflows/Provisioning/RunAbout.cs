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
        this IRuns runs, Server server, TInput input, string who, string? idempotencyKey, Func<NpgsqlTransaction, Guid, Task>? also, CancellationToken cancellationToken, bool isLast = true)
        where TWorkflow : IWorkflow<TInput>
        where TInput : notnull
    {
        RefuseWithoutLogin<TWorkflow>(server);
        var kind = typeof(TWorkflow).GetCustomAttribute<WorkflowAttribute>()!.Kind;
        var start = new StartRun
        {
            RequestedBy = who,
            Subject = server.Subject,
            DedupeKey = idempotencyKey is null ? null : DedupeKey(server.Id, kind, who, idempotencyKey),
        };
        return runs.Start<TWorkflow, TInput>(input, start, async (transaction, run) =>
        {
            await (also?.Invoke(transaction, run) ?? Task.CompletedTask);
            await (isLast ? Servers.Servers.SetLastRun(transaction, server.Id, run) : Task.CompletedTask);
        }, cancellationToken);
    }

    /// <summary>The run that the same request has started before; null when there is none.</summary>
    public static async Task<StartedRun?> StartedBefore<TWorkflow>(this IRuns runs, Server server, string who, string? idempotencyKey, CancellationToken cancellationToken)
    {
        var kind = typeof(TWorkflow).GetCustomAttribute<WorkflowAttribute>()!.Kind;
        return idempotencyKey is not null && await runs.Find(DedupeKey(server.Id, kind, who, idempotencyKey), cancellationToken) is { } found ? new StartedRun(found, true) : null;
    }

    // Hashed, because a name and a key together may be longer than the engine takes.
    public static string DedupeKey(Guid? server, string kind, string who, string idempotencyKey) =>
        $"{server?.ToString() ?? "all"}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{who}\0{kind}\0{idempotencyKey}")))}";

    /// <summary>Whatever a run is, if it works over SSH it cannot work where there is no login.</summary>
    public static void RefuseWithoutLogin<TWorkflow>(Server server)
    {
        if (server.Installation == InstallationType.Manual && !WaitsForHost.Kinds.Contains(typeof(TWorkflow).GetCustomAttribute<WorkflowAttribute>()!.Kind))
        {
            throw Servers.Servers.NoLogin(server);
        }
    }
}
