using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace ManagedServers.Workflows.Tests.Enrolment;

[Collection(WithDatabase.Name)]
public sealed class EnrolmentTokensTests(Database database) : IAsyncLifetime
{
    private static readonly Exchange Host = new(new string('a', 64), "host1", true, null);
    private readonly FakeTimeProvider time = new(TimeProvider.System.GetUtcNow());
    private EnrolmentHouse house = null!;
    private Server server = null!;

    public async Task InitializeAsync()
    {
        house = await EnrolmentHouse.Of(database, time);
        server = await house.Add("ns1");
    }

    public async Task DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task A_token_is_good_once_and_its_host_alone_may_ask_again_when_the_answer_was_lost()
    {
        var (token, _) = await house.Tokens.Issue(server, TimeSpan.FromHours(1), "op");
        var first = await house.Tokens.Exchange(token, Host, "192.0.2.1");
        Assert.Equal(server.Id, first.ServerId);
        Assert.Equal(first, await house.Tokens.Exchange(token, Host, "192.0.2.1"));

        var refused = await Refused(token, Host with { Claim = new string('b', 64), HostName = "other" });
        Assert.Equal("used-token", refused.Code);
        Assert.Contains("host1 at 192.0.2.1", refused.Message, StringComparison.Ordinal);
        var history = await house.Servers.History("ns1");
        Assert.Equal(("host other at 192.0.2.9", "was refused: it showed an enrolment token that had been used already"), (history[0].Who, history[0].What));
        Assert.Equal("enrolled as this server", history[1].What);
    }

    [Fact]
    public async Task Two_hosts_at_once_cannot_both_use_it()
    {
        var (token, _) = await house.Tokens.Issue(server, TimeSpan.FromHours(1), "op");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 10).Select(async n =>
        {
            try
            {
                await house.Tokens.Exchange(token, Host with { Claim = new string((char)('a' + n), 64) }, $"192.0.2.{n}");
                return true;
            }
            catch (EnrolmentRefusedException)
            {
                return false;
            }
        }));
        Assert.Single(outcomes, o => o);
    }

    [Fact]
    public async Task It_ends_in_time_with_the_next_one_and_with_its_run()
    {
        var (old, _) = await house.Tokens.Issue(server, TimeSpan.FromHours(1), "op");
        var (token, _) = await house.Tokens.Issue(server, TimeSpan.FromMinutes(10), "op");
        Assert.Equal("unknown-token", (await Refused(old, Host)).Code);
        time.Advance(TimeSpan.FromMinutes(11));
        var late = await Refused(token, Host);
        Assert.Equal("expired-token", late.Code);
        Assert.Contains("msctl servers enrol ns1 --renew", late.Message, StringComparison.Ordinal);
        Assert.Equal("unknown-token", (await Refused("ms_guess", Host)).Code);
        var (orphan, _) = await house.Tokens.Issue(server, TimeSpan.FromHours(1), "op", run: Guid.CreateVersion7());
        Assert.Equal("ended-token", (await Refused(orphan, Host)).Code);
    }

    [Fact]
    public async Task A_host_of_another_server_is_refused_and_the_token_stays_good()
    {
        var other = await house.Add("ns2");
        var (token, _) = await house.Tokens.Issue(server, TimeSpan.FromHours(1), "op");
        var owned = await Refused(token, Host with { Owner = new ExchangeOwner(other.Id.ToString(), "https://192.0.2.5:8443") });
        Assert.Equal("owned", owned.Code);
        Assert.Equal("needs-root", (await Refused(token, Host with { IsRoot = false })).Code);
        await house.Tokens.Exchange(token, Host with { Owner = new ExchangeOwner(server.Id.ToString(), "https://192.0.2.5:8443") }, "192.0.2.1");
    }

    [Fact]
    public async Task A_new_host_ends_the_token_of_the_one_before_and_no_token_is_kept_as_text()
    {
        var (token, _) = await house.Tokens.Issue(server, TimeSpan.FromHours(1), "op");
        var first = await house.Tokens.Exchange(token, Host, "192.0.2.1");
        var (next, _) = await house.Tokens.Issue(server, TimeSpan.FromHours(1), "op");
        var second = await house.Tokens.Exchange(next, Host with { Claim = new string('c', 64) }, "192.0.2.2");
        Assert.Null(await house.Access.Find(first.Token));
        Assert.Equal(server.Id, (await house.Access.Find(second.Token))!.ServerId);
        foreach (var secret in new[] { token, next, first.Token, second.Token })
        {
            Assert.DoesNotContain(secret, await house.Everything(), StringComparison.Ordinal);
        }
    }

    private async Task<EnrolmentRefusedException> Refused(string token, Exchange host) =>
        await Assert.ThrowsAsync<EnrolmentRefusedException>(() => house.Tokens.Exchange(token, host, "192.0.2.9"));
}
