using System.Runtime.InteropServices;

namespace ManagedServers.Bench.Provisioning;

/// <summary>What installs cost, beside a script that does the same by hand.</summary>
internal static class ProvisioningFigures
{
    private const string ByHand = "the script (tests/bench/by-hand)";
    private const int Many = 20;

    public static IReadOnlyList<(string Name, Func<Fleet, int, IAsyncEnumerable<Figure>> Measure)> Parts { get; } =
        [("one", One), ("again", Again), ("apply", Apply), ("three", Three), ("twenty", Twenty)];

    public static async IAsyncEnumerable<Figure> Measure(BenchArguments arguments)
    {
        await using var fleet = await Fleet.Start(Path.Combine(arguments.Data, "fleet"));
        // The product ends its PostgreSQL in an orderly end only.
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            fleet.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(25));
            Environment.Exit(143);
        });
        foreach (var (name, measure) in Parts.Where(p => arguments.Wants(p.Name)))
        {
            await foreach (var figure in measure(fleet, arguments.Quick ? 2 : 5))
            {
                yield return figure;
            }

            Timeline.Say(name);
        }
    }

    private static async IAsyncEnumerable<Figure> One(Fleet fleet, int rounds)
    {
        var host = (await fleet.Hosts(1))[0];
        List<int> logins = [];
        var pair = await InTurn(rounds, [host], h => h.InstallByHand(), async h =>
        {
            var before = await h.LoginsSoFar();
            var took = await h.Install();
            logins.Add(await h.LoginsSoFar() - before);
            return took;
        });
        yield return Figure.Ratio("install of DNS, monitor and agent on one warm host", ByHand, pair, 1.2);
        yield return new Figure("SSH connections opened by an install (the host's own log)", "", Bench.Median(logins.Select(l => (double)l)), "what is needed", 1, logins.Max(), 1, false);
    }

    private static async IAsyncEnumerable<Figure> Three(Fleet fleet, int rounds)
    {
        var pair = await InTurn(rounds, await fleet.Hosts(3), h => h.InstallByHand(), h => h.Install());
        yield return Figure.Ratio("three hosts at once", "the script on three in parallel", pair, 1.2);
    }

    private static async IAsyncEnumerable<Figure> Twenty(Fleet fleet, int rounds)
    {
        var hosts = await fleet.Hosts(Many);
        List<(double, double)> pairs = [];
        for (var round = 0; round < Math.Min(rounds, 3); round++)
        {
            var one = await hosts[0].Install();
            await hosts[0].MakeNew();
            var all = await AtOnce(hosts, h => h.Install());
            await AtOnce(hosts, NewAgain);
            pairs.Add((one * Many / 2, all));
            Bench.Say($"  round {round + 1}: {Figure.Number(all)} s beside {Figure.Number(one)} s for one");
        }

        yield return Figure.Ratio($"{Many} hosts of the lab at once", "ten times one host", Paired.Of(pairs), 1.3);
    }

    private static async IAsyncEnumerable<Figure> Again(Fleet fleet, int rounds)
    {
        var host = (await fleet.Hosts(1))[0];
        List<(double, double)> pairs = [];
        for (var round = 0; round < rounds; round++)
        {
            // The connection is open for both.
            await host.MakeNew(keepConnection: true);
            pairs.Add((await host.Install(), await host.Install()));
            Bench.Say($"  round {round + 1}: {Figure.Number(pairs[^1].Item2)} beside {Figure.Number(pairs[^1].Item1)}");
        }

        await host.MakeNew();
        yield return Figure.Ratio("second, unchanged install, the SSH connection open", "the first one", Paired.Of(pairs), 0.3);
    }

    private static async IAsyncEnumerable<Figure> Apply(Fleet fleet, int rounds)
    {
        var host = (await fleet.Hosts(1))[0];
        await host.Install();
        await host.OpenConnection();
        List<(double, double)> pairs = [];
        for (var round = -1; round < rounds; round++)
        {
            var number = 2 * round + 12;
            var pair = (await host.ApplyByHand($"192.0.2.{number}", number), await host.Apply($"192.0.2.{number + 1}", number + 1));
            if (round >= 0)
            {
                pairs.Add(pair);
                Bench.Say($"  round {round + 1}: {Figure.Number(pair.Item2)} beside {Figure.Number(pair.Item1)}");
            }
        }

        await host.CloseConnection();
        await host.MakeNew();
        yield return Figure.Ratio("one changed record, request to answer on the wire", "by hand over one open connection", Paired.Of(pairs), 2);
    }

    /// <summary>By hand, by the product, by hand …: each on hosts that are new, with no connection open. Seconds until the last host is done.</summary>
    private static async Task<Paired> InTurn(int rounds, IReadOnlyList<FleetHost> hosts, Func<FleetHost, Task<double>> reference, Func<FleetHost, Task<double>> ours)
    {
        List<(double, double)> pairs = [];
        for (var round = 0; round < rounds; round++)
        {
            await AtOnce(hosts, async h => { await h.CutConnections(); return 0; });
            var theirs = await AtOnce(hosts, reference);
            await AtOnce(hosts, NewAgain);
            pairs.Add((theirs, await AtOnce(hosts, ours)));
            await AtOnce(hosts, NewAgain);
            Bench.Say($"  round {round + 1}: {Figure.Number(pairs[^1].Item2)} beside {Figure.Number(theirs)}");
        }

        return Paired.Of(pairs);
    }

    private static async Task<double> AtOnce(IReadOnlyList<FleetHost> hosts, Func<FleetHost, Task<double>> what) => (await Task.WhenAll(hosts.Select(what))).Max();

    private static async Task<double> NewAgain(FleetHost host)
    {
        await host.MakeNew();
        return 0;
    }
}
