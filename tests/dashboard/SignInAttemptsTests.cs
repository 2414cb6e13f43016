using System.Net;
using ManagedServers.Dashboard.SignIn;

namespace ManagedServers.Dashboard.Tests;

public sealed class SignInAttemptsTests
{
    [Fact]
    public void An_address_that_tries_without_end_has_to_wait_and_others_do_not()
    {
        using var attempts = new SignInAttempts();
        var guesser = IPAddress.Parse("192.0.2.1");

        Assert.Equal(20, Enumerable.Range(0, 30).Count(_ => attempts.Allow(guesser)));
        Assert.True(attempts.Allow(IPAddress.Parse("192.0.2.2")));
    }

    [Fact]
    public void All_addresses_of_one_IPv6_network_count_as_one()
    {
        using var attempts = new SignInAttempts();

        Assert.Equal(20, Enumerable.Range(0, 30).Count(i => attempts.Allow(IPAddress.Parse($"2001:db8::{i + 1:x}"))));
        Assert.True(attempts.Allow(IPAddress.Parse("2001:db8:0:1::1")));
    }
}
