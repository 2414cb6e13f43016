using ManagedServers.Workflows.Access;
using Microsoft.AspNetCore.Components.Authorization;

namespace ManagedServers.Dashboard.Access;

/// <summary>The signed-in account may not (or no longer) do this.</summary>
public sealed class ActionRefusedException(string message) : Exception(message);

/// <summary>Who acts in this circuit. A page may have been open for hours, so every action asks the database again.</summary>
public sealed class Actor(AuthenticationStateProvider state, Sessions sessions)
{
    /// <summary>The account's name, for the audit.</summary>
    /// <exception cref="ActionRefusedException">Not signed in any more, or without that right.</exception>
    public async Task<string> Require(Right right, CancellationToken cancellationToken = default)
    {
        if (await sessions.Account((await state.GetAuthenticationStateAsync()).User, cancellationToken) is not { } account)
        {
            throw new ActionRefusedException("Your sign-in has ended. Sign in again; nothing was done.");
        }

        if (!account.Allows(right))
        {
            throw new ActionRefusedException($"Your account {account.Name} does not have the right '{right}' that this needs. Nothing was done.");
        }

        return account.Name;
    }

    /// <summary>For what is shown only: the rights at sign-in.</summary>
    public async Task<bool> Sees(Right right) => (await state.GetAuthenticationStateAsync()).User.Allows(right);
}
