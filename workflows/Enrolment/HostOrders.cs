using System.Net;
using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;
using Npgsql;

namespace ManagedServers.Workflows.Enrolment;

/// <summary>Between the runs that wait for hosts and the hosts that work for them: check-ins, orders and reports. Everything is asked for with a server's own token.</summary>
public sealed class HostOrders(NpgsqlDataSource database, Servers.Servers servers, Configurations configurations, EnrolmentTokens tokens, PayloadFiles payload, IRuns runs)
{
    // The script says that it lives every 15 s.
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>The host is there: the run that waits for it goes on, and one that had paused at it does too.</summary>
    /// <exception cref="ServerConflictException">Nothing is asked of this host.</exception>
    public async Task<CheckedIn> CheckIn(Guid serverId, HostCheckIn host, IPAddress? from, CancellationToken cancellationToken = default)
    {
        host.Check();
        var server = await servers.Get(serverId.ToString(), cancellationToken);
        var run = await Waiting(server, cancellationToken)
            ?? throw new ServerConflictException("nothing-asked", $"Nothing is asked of this host: no run of {server.Name} waits for it. Start one: msctl servers install {server.Argument} …");
        int session;
        await using (var connection = await database.OpenConnectionAsync(cancellationToken))
        {
            session = await connection.QuerySingleAsync<int>(
                """
                delete from servers.host_order where server_id = @Id and run_id <> @run;
                insert into servers.host_order (run_id, server_id, session) values (@run, @Id, 1)
                on conflict (run_id) do update set session = servers.host_order.session + 1, seen_at = now()
                returning session
                """, new { server.Id, run = run.Id });
        }

        await tokens.Withdraw(server.Id, cancellationToken);
        var who = $"host {host.HostName}";
        try
        {
            await runs.Signal(run.Id, WaitsForHost.CheckInStep, new ArrivedHost(host.HostName ?? "?", host.Os ?? "", from?.ToString(), HostLogin.Root.Folder, host.Interfaces ?? []), who, $"from {from}", cancellationToken);
        }
        catch (RunActionException)
        {
            // It has checked in before.
        }

        await GoOn(run, who, "The line was run on the host again.", cancellationToken);
        return new CheckedIn(run.Id, session, server.Name, run.Title);
    }

    /// <summary>What the host shall do; null until the run has made it.</summary>
    public async Task<HostOrder?> Order(Guid serverId, Guid runId, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var document = await connection.QuerySingleOrDefaultAsync<string?>("select document::text from servers.host_order where run_id = @runId and server_id = @serverId", new { runId, serverId });
        if (document is null)
        {
            return null;
        }

        var order = JsonSerializer.Deserialize<JsonElement>(document);
        var run = (await runs.Get(runId, cancellationToken))!;
        var input = run.Kind == ManualInstallWorkflow.Kind ? run.Input.Deserialize<InstallInput>(EngineJson.Options)! : null;
        if (input?.Dns is { } dns)
        {
            order = OrderSecrets.WithKeys(order, (await configurations.Get(dns.ConfigurationId, cancellationToken)).Dns!);
        }

        if (input?.Statistics == StatisticsWay.Rabbitmq)
        {
            order = OrderSecrets.WithBroker(order, await payload.Broker(cancellationToken)
                ?? throw new ServerConflictException("rabbitmq-off", "The monitor is to send over RabbitMQ, which was switched off in the product since. Enable it there, or install with --statistics https."));
        }

        return new HostOrder(order);
    }

    /// <summary>Keeps what the host reports, and tells how the run stands.</summary>
    /// <exception cref="ServerConflictException">The run has ended, or the line was started again elsewhere.</exception>
    public async Task<RunState> Take(Guid serverId, HostReports said, CancellationToken cancellationToken = default)
    {
        said.Check();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var order = await connection.QuerySingleOrDefaultAsync<(int Session, bool WasSilent)?>(
            """
            update servers.host_order o set seen_at = now() from (select run_id, seen_at from servers.host_order where run_id = @RunId for update) before
            where o.run_id = before.run_id and o.server_id = @serverId returning o.session, now() - before.seen_at > @Patience
            """, new { said.RunId, serverId, Patience }, transaction);
        var run = order is null ? null : (await runs.Get([said.RunId], cancellationToken)).SingleOrDefault();
        if (run is null || order!.Value.Session != said.Session)
        {
            throw new ServerConflictException("taken-over", "The line was started again since, on this host or on another one; what is done here is not waited for any more.");
        }

        if (run.State is RunState.Failed or RunState.Cancelled)
        {
            throw new ServerConflictException("run-ended", $"The run was ended in the product ({run.State.ToString().ToLowerInvariant()}{(run.Reason is { } why ? $": {why}" : "")}). "
                + "What was done here stays. To go on: msctl runs retry; to take it away: msctl servers uninstall.");
        }

        await connection.ExecuteAsync(
            "insert into servers.host_report (run_id, session, step, state, text, fraction) values (@RunId, @Session, @Step, @State, @Text, @Fraction)",
            (said.Reports ?? []).Where(r => r.State != HostReports.Alive).Select(r => new { said.RunId, said.Session, r.Step, r.State, Text = r.Text ?? "", r.Fraction }), transaction);
        await transaction.CommitAsync(cancellationToken);
        if (order.Value.WasSilent)
        {
            await GoOn(run, "engine", "The host reports again.", cancellationToken);
        }

        return run.State;
    }

    /// <summary>The order is written once; whoever asks again finds the first.</summary>
    internal async Task Write(Guid serverId, Guid runId, JsonElement document, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("update servers.host_order set document = @document::json where run_id = @runId and server_id = @serverId and document is null",
            new { serverId, runId, document = document.GetRawText() });
    }

    /// <summary>The first of these runs for which a host has checked in: it may be at work there.</summary>
    internal async Task<Guid?> Begun(IReadOnlyCollection<Guid> runIds, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.QueryFirstOrDefaultAsync<Guid?>("select run_id from servers.host_order where run_id = any(@runs)", new { runs = runIds.ToArray() });
    }

    /// <summary>What a run has ordered of each component: by its name, the digest of the configuration's files, and that of the container's specification.</summary>
    internal async Task<IReadOnlyDictionary<string, (string? Configuration, string? Specification)>> Ordered(Guid runId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<(string Component, string? Configuration, string? Specification)>(
            """
            select step ->> 'component', max(step ->> 'digest'), max(step -> 'specification' -> 'Labels' ->> @label)
            from servers.host_order cross join lateral json_array_elements(document -> 'steps') step
            where run_id = @runId and step ->> 'do' in ('switch', 'container') group by 1
            """, new { runId, label = ContainerSpecification.SpecLabel })).ToDictionary(o => o.Component, o => (o.Configuration, o.Specification));
    }

    internal async Task<OrderLook> Look(Guid runId, string step, long after, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var (session, silent) = await connection.QuerySingleAsync<(int, TimeSpan)>("select session, now() - seen_at from servers.host_order where run_id = @runId", new { runId });
        var reports = await connection.QueryAsync<StoredReport>(
            "select id, state, text, fraction, at from servers.host_report where run_id = @runId and session = @session and step = @step and id > @after order by id limit 500", new { runId, session, step, after });
        return new OrderLook(session, silent, [.. reports]);
    }

    /// <summary>Whether what a step has changed on the host is there: the last that the host said of it, in whatever start of the line. Null when it has changed nothing.</summary>
    internal async Task<bool?> IsChanged(Guid runId, string step, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<bool?>(
            "select state = @Changed from servers.host_report where run_id = @runId and step = @step and state in (@Changed, @Undone) order by id desc limit 1",
            new { runId, step, HostReports.Changed, HostReports.Undone });
    }

    /// <summary>Of several the first: the others wait for it.</summary>
    internal async Task<RunSummary?> Waiting(Server server, CancellationToken cancellationToken)
    {
        var active = await runs.List(new RunFilter { Subject = server.Subject, States = [RunState.Queued, RunState.Running, RunState.Waiting, RunState.Paused], Limit = 200 }, cancellationToken);
        return active.LastOrDefault(r => WaitsForHost.Kinds.Contains(r.Kind));
    }

    private async Task GoOn(RunSummary run, string who, string why, CancellationToken cancellationToken)
    {
        if (run.State != RunState.Paused)
        {
            return;
        }

        try
        {
            await runs.Retry(run.Id, who, why, cancellationToken: cancellationToken);
        }
        catch (RunActionException)
        {
            // Somebody else has let it go on, or ended it.
        }
    }
}
