using ManagedServers.Engine;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Servers;
using Npgsql;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>A run about a server that was asked for and checked, and not started: it can be started, or shown. Until then nothing is kept of it.</summary>
public abstract class PreparedRun
{
    /// <summary>What it is about.</summary>
    public abstract Server Server { get; }

    /// <param name="idempotencyKey">The same key for another workflow is another request.</param>
    public abstract Task<StartedRun> Start(string who, string? idempotencyKey, CancellationToken cancellationToken = default);

    /// <summary>Looks at the host, where it can be reached, and tells what the run would do. Changes nothing.</summary>
    public abstract Task<ChangePlan> Plan(CancellationToken cancellationToken = default);

    /// <summary>Runs under way about the same server that go before this one.</summary>
    /// <param name="than">This one, when it was started.</param>
    public abstract Task<IReadOnlyList<RunSummary>> Ahead(StartedRun? than = null, CancellationToken cancellationToken = default);
}

/// <summary>What a run concerns beside its input.</summary>
/// <param name="Components">Whose service it may touch.</param>
internal sealed record Concern(IReadOnlyList<string> Components)
{
    /// <summary>Configurations that come with it: kept with the run, in its transaction.</summary>
    public IReadOnlyList<NewConfiguration> Configurations { get; init; } = [];

    /// <summary>After it these components serve nobody.</summary>
    public bool TakesAway { get; init; }

    /// <summary>The server's state is told by it; not for runs that leave what is installed alone.</summary>
    public bool IsLast { get; init; } = true;

    /// <summary>Further statements that are committed with the run; its id and who asks for it are given.</summary>
    public Func<NpgsqlTransaction, Guid, string, Task>? Also { get; init; }
}

/// <summary>The one way in which a feature makes a run about a server: check what was asked, make the input, and hand it over here.</summary>
public sealed class PreparedRuns(IRuns runs, Servers.Servers servers, Configurations configurations, ManualPlan byHand)
{
    internal PreparedRun Prepare<TWorkflow, TInput>(Server server, TInput input, Concern concern)
        where TWorkflow : IWorkflow<TInput>
        where TInput : notnull
    {
        RunAbout.RefuseWithoutLogin<TWorkflow>(server);
        return new Prepared<TWorkflow, TInput>(runs, servers, configurations, byHand, server, input, concern);
    }

    /// <summary>For a request that has started its run before.</summary>
    internal static PreparedRun Begun(Server server, StartedRun run) => new BegunRun(server, run);

    private sealed class BegunRun(Server server, StartedRun run) : PreparedRun
    {
        public override Server Server => server;

        public override Task<StartedRun> Start(string who, string? idempotencyKey, CancellationToken cancellationToken = default) => Task.FromResult(run);

        public override Task<ChangePlan> Plan(CancellationToken cancellationToken = default) => throw new InvalidOperationException("It was started: there is nothing to plan.");

        public override Task<IReadOnlyList<RunSummary>> Ahead(StartedRun? than = null, CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<RunSummary>>([]);
    }

    private sealed class Prepared<TWorkflow, TInput>(IRuns runs, Servers.Servers servers, Configurations configurations, ManualPlan byHand, Server server, TInput input, Concern concern) : PreparedRun
        where TWorkflow : IWorkflow<TInput>
        where TInput : notnull
    {
        public override Server Server => server;

        public override Task<StartedRun> Start(string who, string? idempotencyKey, CancellationToken cancellationToken = default) =>
            runs.StartAbout<TWorkflow, TInput>(server, input, who, idempotencyKey, async (transaction, run) =>
            {
                foreach (var configuration in concern.Configurations.Where(c => c.IsNew))
                {
                    await configurations.Save(transaction, server.Id, run, configuration, who);
                }

                await (concern.Also?.Invoke(transaction, run, who) ?? Task.CompletedTask);
            }, cancellationToken, concern.IsLast);

        public override async Task<ChangePlan> Plan(CancellationToken cancellationToken = default)
        {
            var (plan, unreachable) = await Look(cancellationToken);
            var failure = Impact.FailureOf(plan);
            var unknown = plan.Steps.FirstOrDefault(s => s.Preview?.Unknown is not null);
            var unseen = plan.Steps.Where(s => s.Preview is null || s.Preview.Unknown is not null).ToList();
            return new ChangePlan
            {
                Server = server.Name, Kind = plan.Kind, Title = plan.Title, Steps = plan.Steps,
                WouldChange = plan.Steps.Any(s => s.Preview?.Changes.Count > 0) ? true : unseen.Count > 0 ? null : false,
                WouldFail = failure is null ? null : $"{failure.Title}: {failure.Preview!.Failure}",
                NotLookedAt = unreachable is not null ? unreachable + Untried(plan, _ => true)
                    : unknown is not null ? $"From step {unknown.Seq} on ({unknown.Title}) the host could not be looked at: {unknown.Preview!.Unknown}{Untried(plan, s => s.Preview is not { Unknown: null })}"
                    : failure is not null && failure.Seq < plan.Steps.Count ? $"The steps after {failure.Seq} were not looked at, because the run would not come to them."
                    : unseen.Count > 0 ? $"These steps cannot tell before they run what they will change: {string.Join("; ", unseen.Select(s => s.Title))}." : null,
                Affected = await new Impact(configurations, server, concern).Of(plan, cancellationToken),
                Ahead = await Ahead(null, cancellationToken),
            };
        }

        public override async Task<IReadOnlyList<RunSummary>> Ahead(StartedRun? than = null, CancellationToken cancellationToken = default)
        {
            var all = runs.Plan<TWorkflow, TInput>(input).ExclusiveKey is { } key ? await runs.Holding(key, cancellationToken) : [];
            return than is null ? all : all.Any(r => r.Id == than.Id) ? [.. all.TakeWhile(r => r.Id != than.Id)] : [];
        }

        private static string Untried(RunPlan plan, Func<StepPlan, bool> isUnseen)
        {
            List<string> steps = [.. plan.Steps.Where(s => isUnseen(s) && Component.Serving.Any(c => s.Name == ConfigurationPlan.Validate(c))).Select(s => $"step {s.Seq} ({s.Title})")];
            return steps.Count == 0 ? "" : $" Whether what is to be served is right was not tried either: {string.Join(" and ", steps)} of the run tells it, before anything that serves is changed.";
        }

        private async Task<(RunPlan Plan, string? Unreachable)> Look(CancellationToken cancellationToken)
        {
            var drafts = concern.Configurations.Select(configurations.Draft).ToList();
            try
            {
                if (server.Installation == InstallationType.Manual)
                {
                    return (await byHand.Foresee(server, input, runs.Plan<TWorkflow, TInput>(input), cancellationToken),
                        $"{server.Name} is installed by hand: the product does not log in there to look. It tells what differs from what the last run has left there, and from what the host has said since.");
                }

                // Held while all steps look: they share it. Without it each of them would wait in vain.
                await using var host = await servers.Connect(server.Id, cancellationToken);
                return (await runs.Preview<TWorkflow, TInput>(input, cancellationToken), null);
            }
            catch (Exception problem) when (problem is IHostProblem)
            {
                return (runs.Plan<TWorkflow, TInput>(input), $"The host could not be looked at: {problem.Message}");
            }
            finally
            {
                drafts.ForEach(d => d.Dispose());
            }
        }
    }
}
