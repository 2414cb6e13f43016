using System.Diagnostics;
using ManagedServers.Bench.Setup;
using ManagedServers.Engine;

namespace ManagedServers.Bench.Figures;

/// <summary>What a million finished runs in the tables cost: at the boundaries of steps, and in lists.</summary>
internal static class GrowthFigures
{
    private const int Few = 1_000;

    private static readonly string[] Kinds = ["install", "start-server", "apply-configuration", "poll-statistics", "remove"];

    public static async IAsyncEnumerable<Figure> Measure(Bench bench)
    {
        var many = bench.Quick ? 100_000 : 1_000_000;
        await using var empty = await BenchNode.Start(await bench.Postgres.NewDatabase(), "empty");
        await using var full = await BenchNode.Start(await Filled(bench, many), "full");
        await StepFigures.Rate(empty, 4, 50);
        await StepFigures.Rate(full, 4, 50);
        var pair = await bench.SideBySide(() => StepFigures.Rate(empty, 16, 250), () => StepFigures.Rate(full, 16, 250), rounds: bench.Quick ? 1 : 5);
        yield return Figure.Rate($"journalled steps with {many:N0} finished runs in the tables", "/s", "with none", pair, 0.9);

        await using var few = await BenchNode.Start(await Filled(bench, Few), "few", workers: 0);
        var lists = await Lists(bench, few, full);
        var (reference, ours) = (lists.SelectMany(l => l.Few).ToList(), lists.SelectMany(l => l.Many).ToList());
        yield return Figure.Time($"first page of {many:N0} runs, {lists.Count} filters, p95", $"of {Few:N0} runs", Bench.Percentile(ours, 0.95), Bench.Percentile(reference, 0.95), 2);
        var worst = lists.MaxBy(l => Bench.Median(l.Many) / Bench.Median(l.Few))!;
        yield return Figure.Time($"the same by the worst filter ({worst.Name}), p50", $"of {Few:N0} runs", Bench.Median(worst.Many), Bench.Median(worst.Few), 2);
    }

    private sealed record Sample(string Name, RunFilter Filter)
    {
        public List<double> Few { get; } = [];

        public List<double> Many { get; } = [];
    }

    private static async Task<IReadOnlyList<Sample>> Lists(Bench bench, BenchNode few, BenchNode full)
    {
        var samples = Filters().ToList();
        for (var n = -5; n < bench.Of(100); n++)
        {
            foreach (var sample in samples)
            {
                var (reference, ours) = (await Page(few, sample.Filter), await Page(full, sample.Filter));
                if (n >= 0)
                {
                    sample.Few.Add(reference);
                    sample.Many.Add(ours);
                }
            }
        }

        return samples;
    }

    private static async Task<double> Page(BenchNode node, RunFilter filter)
    {
        var asked = Stopwatch.GetTimestamp();
        await node.Runs.List(filter);
        return Bench.Ms(asked);
    }

    private static IEnumerable<Sample> Filters()
    {
        var states = new (string, IReadOnlyList<RunState>)[]
        {
            ("any state", []), ("succeeded", [RunState.Succeeded]), ("failed", [RunState.Failed]), ("paused", [RunState.Paused]),
            ("in flight", [RunState.Queued, RunState.Running, RunState.Waiting]), ("ended", [RunState.Succeeded, RunState.Failed, RunState.Cancelled]),
        };
        foreach (var (state, some) in states)
        {
            foreach (var kind in new[] { null, "poll-statistics", "remove" })
            {
                foreach (var subject in new[] { null, "server/1", "server/nowhere" })
                {
                    var name = string.Join(", ", new[] { state, kind, subject }.OfType<string>());
                    yield return new Sample(name, new RunFilter { States = some, Kind = kind, Subject = subject });
                }
            }
        }
    }

    /// <summary>
    /// Mostly polls, mostly succeeded; a few that failed or wait for somebody; 40 subjects. Three attempts and two lines of audit each.
    /// </summary>
    private static async Task<string> Filled(Bench bench, int runs)
    {
        var database = await bench.Postgres.NewDatabase();
        Bench.Say($"  filling {runs:N0} runs …");
        await bench.Postgres.Execute(database, $$"""
            set session_replication_role = replica; -- foreign keys hold by construction
            insert into engine.run (id, kind, version, title, subject, plan, input, requested_by, state, cursor, steps_total, steps_done, created_at, started_at, finished_at, fence)
            select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
                   case when n % 100 < 80 then '{{Kinds[3]}}' when n % 100 < 90 then '{{Kinds[2]}}' when n % 100 < 96 then '{{Kinds[0]}}' when n % 100 < 99 then '{{Kinds[1]}}' else '{{Kinds[4]}}' end,
                   1, 'a finished run', 'server/' || (n * 7919) % 40, '{"steps":[]}', '{}', 'bench',
                   case when (n * 31) % 1000 < 970 then 'succeeded' when (n * 31) % 1000 < 985 then 'failed' when (n * 31) % 1000 < 999 then 'cancelled' else 'paused' end,
                   4, 3, 3, now() - interval '1 day', now() - interval '1 day', now() - interval '1 day', 1
            from generate_series(1::bigint, {{runs}}) n;
            insert into engine.step (run_id, seq, direction, attempt, try, state, fence, node, input, output, finished_at)
            select r.id, s, 1, 1, 1, 'succeeded', 1, 'node', '{}', '{}', now() - interval '1 day' from engine.run r, generate_series(1, 3) s;
            insert into engine.event (run_id, who, what) select r.id, 'bench', w from engine.run r, unnest(array['started', 'succeeded']) w;
            """);
        await bench.Postgres.Execute(database, "vacuum analyze");
        await bench.Postgres.Execute(database, "checkpoint");
        return database;
    }
}
