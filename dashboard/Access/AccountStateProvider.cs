using ManagedServers.Workflows.Access;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Dashboard.Access;

/// <summary>Ends an open page's sign-in when that was ended elsewhere, its account is gone, its groups or its password have changed.</summary>
internal sealed class AccountStateProvider(ILoggerFactory loggers, Sessions sessions) : RevalidatingServerAuthenticationStateProvider(loggers)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(30);

    protected override async Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken)
    {
        try
        {
            return await sessions.Account(authenticationState.User, cancellationToken) is { } account
                && account.Groups.Order().SequenceEqual(authenticationState.User.Account()!.Groups.Order());
        }
        catch (Exception e) when (e is System.Data.Common.DbException or TimeoutException or ObjectDisposedException)
        {
            // A database that restarts, or a product that stops, must not sign everybody out; every action asks again by itself.
            return true;
        }
    }
}
