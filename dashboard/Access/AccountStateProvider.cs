using ManagedServers.Workflows.Access;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Dashboard.Access;

/// <summary>Ends an open page's sign-in when its account is gone, its groups or its password have changed.</summary>
internal sealed class AccountStateProvider(ILoggerFactory loggers, Accounts accounts) : RevalidatingServerAuthenticationStateProvider(loggers)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(30);

    protected override async Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken)
    {
        var claimed = authenticationState.User.Account();
        try
        {
            return claimed is not null
                && await accounts.Get(claimed.Id, cancellationToken) is { } account
                && account.Stamp == claimed.Stamp
                && account.Groups.Order().SequenceEqual(claimed.Groups.Order());
        }
        catch (Exception e) when (e is System.Data.Common.DbException or TimeoutException or ObjectDisposedException)
        {
            // A database that restarts, or a product that stops, must not sign everybody out; every action asks again by itself.
            return true;
        }
    }
}
