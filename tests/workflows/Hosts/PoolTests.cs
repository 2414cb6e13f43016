using ManagedServers.Workflows.Hosts;
using Microsoft.Extensions.Time.Testing;

namespace ManagedServers.Workflows.Tests.Hosts;

[Collection(HostCollection.Name)]
public sealed class PoolTests(TestHost lab)
{
    [Fact]
    public async Task Whoever_works_on_a_host_shares_one_connection()
    {
        await using var pool = TestHost.NewPool();

        var hosts = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => pool.Connect(lab.Target(name: $"name {i}"))));
        await Task.WhenAll(hosts.Select(h => h.Run(["true"])));

        Assert.Equal((1, 1), (pool.OpenedInAll, pool.OpenNow));
        foreach (var host in hosts)
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_connection_without_work_is_kept_for_the_idle_time_and_then_closed()
    {
        var time = new FakeTimeProvider();
        await using var pool = TestHost.NewPool(new HostsOptions { IdleTimeout = TimeSpan.FromSeconds(60), PulseInterval = TimeSpan.FromDays(1) }, time);
        await (await pool.Connect(lab.Target())).DisposeAsync();
        time.Advance(TimeSpan.FromSeconds(59));
        await using (await pool.Connect(lab.Target()))
        {
            time.Advance(TimeSpan.FromSeconds(120));
            Assert.Equal((1, 1), (pool.OpenedInAll, pool.OpenNow));
        }

        time.Advance(TimeSpan.FromSeconds(61));

        await Eventually.True(() => pool.OpenNow == 0);
        await using var again = await pool.Connect(lab.Target());
        Assert.Equal(2, pool.OpenedInAll);
    }

    [Fact]
    public async Task Another_credential_is_another_connection()
    {
        await using var pool = TestHost.NewPool();

        await using var one = await pool.Connect(lab.Target());
        await using var other = await pool.Connect(lab.Target(new PrivateKeyCredential(lab.PlainKey)));

        Assert.Equal(2, pool.OpenNow);
    }

    [Fact]
    public async Task A_failed_connection_leaves_nothing_behind()
    {
        await using var pool = TestHost.NewPool();

        var tries = Enumerable.Range(0, 3).Select(_ => Assert.ThrowsAsync<HostRejectedException>(() => pool.Connect(lab.Target(new PasswordCredential("no")))));
        await Task.WhenAll(tries);

        Assert.Equal((0, 0), (pool.OpenedInAll, pool.OpenNow));
    }

    [Fact]
    public async Task A_cut_connection_is_told_and_the_next_lease_gets_a_new_one()
    {
        await using var pool = TestHost.NewPool();
        await using var host = await pool.Connect(lab.Target());
        var line = new TaskCompletionSource();
        var running = host.Run(["sh", "-c", "echo $$; sleep 604"], new CommandOptions { OnLine = _ => line.TrySetResult() });
        await line.Task;

        await lab.CutConnections();
        var problem = await Assert.ThrowsAsync<HostUnavailableException>(() => running);
        await Assert.ThrowsAsync<HostUnavailableException>(() => host.Run(["true"]));
        await using var again = await pool.Connect(lab.Target());

        Assert.Equal(HostProblem.ConnectionLost, problem.Code);
        Assert.Contains("was lost during sh on ns1", problem.Message, StringComparison.Ordinal);
        (await again.Run(["true"])).Check();
        Assert.Equal((2, 1), (pool.OpenedInAll, pool.OpenNow));
        await lab.Outside("pkill -f '[s]leep 604' || true");
    }

    [Fact]
    public async Task A_host_that_falls_silent_during_a_command_is_noticed()
    {
        await using var pool = TestHost.NewPool(new HostsOptions { PulseInterval = TimeSpan.FromMilliseconds(500), Patience = TimeSpan.FromSeconds(2) });
        await using var host = await pool.Connect(lab.Target());
        var line = new TaskCompletionSource();
        var running = host.Run(["sh", "-c", "echo $$; sleep 605"], new CommandOptions { OnLine = _ => line.TrySetResult() });
        await line.Task;
        await lab.Outside("iptables -I INPUT -p tcp --dport 22 -j DROP; iptables -I OUTPUT -p tcp --sport 22 -j DROP");
        try
        {
            var problem = await Assert.ThrowsAsync<HostUnavailableException>(() => running.WaitAsync(TimeSpan.FromSeconds(15)));
            Assert.Equal(HostProblem.ConnectionLost, problem.Code);
        }
        finally
        {
            await lab.Outside("iptables -D INPUT -p tcp --dport 22 -j DROP; iptables -D OUTPUT -p tcp --sport 22 -j DROP; pkill -f '[s]leep 605' || true");
        }
    }

    [Fact]
    public async Task A_connection_that_died_unnoticed_while_idle_is_replaced_before_it_is_leased()
    {
        var time = new FakeTimeProvider();
        await using var pool = TestHost.NewPool(new HostsOptions { ConnectTimeout = TimeSpan.FromSeconds(1), PulseInterval = TimeSpan.FromDays(1) }, time);
        await (await pool.Connect(lab.Target())).DisposeAsync();
        // Its packets are dropped, those of new connections are not.
        var port = (await lab.Outside("ss -Htn state established '( sport = :22 )' | awk '{print $4}' | sed 's/.*://'")).Split('\n');
        await lab.Outside(string.Join(';', port.Select(p => $"iptables -I INPUT -p tcp --sport {p} -j DROP")));
        try
        {
            time.Advance(TimeSpan.FromSeconds(10));
            await using var host = await pool.Connect(lab.Target());
            (await host.Run(["true"])).Check();
            Assert.Equal(2, pool.OpenedInAll);
        }
        finally
        {
            await lab.Outside(string.Join(';', port.Select(p => $"iptables -D INPUT -p tcp --sport {p} -j DROP")));
            await lab.CutConnections();
        }
    }

    [Fact]
    public async Task A_restarted_SSH_server_costs_one_new_connection()
    {
        await using var pool = TestHost.NewPool();
        await using (await pool.Connect(lab.Target()))
        {
        }

        await lab.Outside("lab-service ssh restart");
        await lab.CutConnections();
        await Eventually.True(async () =>
        {
            try
            {
                await using var host = await pool.Connect(lab.Target());
                return (await host.Run(["true"])).Succeeded;
            }
            catch (HostUnavailableException)
            {
                return false;
            }
        });
    }
}
