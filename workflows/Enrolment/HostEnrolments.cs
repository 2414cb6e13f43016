using ManagedServers.Engine;
using ManagedServers.Workflows.Drift;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Enrolment;

/// <summary>Gives operators what they take to a host without a login.</summary>
public sealed class HostEnrolments(EnrolmentLine line, EnrolmentTokens tokens, HostOrders orders, Heartbeats heartbeats, TimeProvider time)
{
    /// <summary>The line alone.</summary>
    public async Task<HostEnrolment> Line(Server server, CancellationToken cancellationToken = default) => new(await line.For(server, cancellationToken), null, null);

    /// <summary>For a run that begins now: with a token where its host has none of its own yet, or is silent, so that nobody knows what it still has.</summary>
    public async Task<HostEnrolment> ForRun(Server server, StartedRun run, string who, CancellationToken cancellationToken = default)
    {
        var reported = (await heartbeats.Summary([server.Id], cancellationToken))[0].LastAt;
        // A token is shown once: who asks again for the same run has it.
        return run.Existing || (server.Components.Count > 0 && reported > time.GetUtcNow() - HostStates.Patience) ? await Line(server, cancellationToken)
            : await Keep(server, EnrolmentTokens.Default, who, run.Id, cancellationToken);
    }

    /// <summary>Another token, in the place of an unused one.</summary>
    public PreparedChange<HostEnrolment> Renew(Server server, TimeSpan lifetime, string who) => new(
        $"make an enrolment token for {server.Name}", [new("enrolment token", null, $"a new one, good until {time.GetUtcNow() + lifetime:yyyy-MM-dd HH:mm} UTC and shown once")],
        async ct => await Keep(server, lifetime, who, (await orders.Waiting(server, ct))?.Id, ct))
    {
        Servers = [server.Name], Notes = ["One that was made before and not used ends. A run that waits for the host goes on waiting; when it ends, so does the token."],
    };

    private async Task<HostEnrolment> Keep(Server server, TimeSpan lifetime, string who, Guid? run, CancellationToken cancellationToken)
    {
        var (token, expires) = await tokens.Issue(server, lifetime, who, run, cancellationToken);
        return new HostEnrolment(await line.For(server, cancellationToken), token, expires);
    }
}
