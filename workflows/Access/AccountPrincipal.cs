using System.Security.Claims;

namespace ManagedServers.Workflows.Access;

/// <summary>Between an account and the framework's idea of a user.</summary>
public static class AccountPrincipal
{
    /// <summary>The authentication scheme of requests to the API: Basic or Bearer.</summary>
    public const string ApiScheme = "api";

    /// <summary>The authentication scheme of the dashboard: a cookie.</summary>
    public const string DashboardScheme = "dashboard";
    private const string GroupClaim = "group";
    private const string ServerClaim = "server";
    private const string StampClaim = "stamp";
    private const string SessionClaim = "session";

    public static ClaimsPrincipal Of(Account account, string scheme, Guid? session = null)
    {
        var identity = new ClaimsIdentity(scheme, ClaimTypes.Name, GroupClaim);
        identity.AddClaim(new Claim(ClaimTypes.NameIdentifier, account.Id.ToString()));
        identity.AddClaim(new Claim(ClaimTypes.Name, account.Name));
        identity.AddClaims(account.Groups.Select(g => new Claim(GroupClaim, g)));
        identity.AddClaim(new Claim(StampClaim, account.Stamp));
        if (account.ServerId is { } server)
        {
            identity.AddClaim(new Claim(ServerClaim, server.ToString()));
        }

        if (session is { } id)
        {
            identity.AddClaim(new Claim(SessionClaim, id.ToString()));
        }

        return new ClaimsPrincipal(identity);
    }

    /// <summary>The account, or null for nobody.</summary>
    public static Account? Account(this ClaimsPrincipal principal) =>
        Guid.TryParse(principal.FindFirstValue(ClaimTypes.NameIdentifier), out var id)
            ? new Account
            {
                Id = id,
                Name = principal.Identity?.Name ?? "",
                Groups = [.. principal.FindAll(GroupClaim).Select(c => c.Value)],
                ServerId = Guid.TryParse(principal.FindFirstValue(ServerClaim), out var server) ? server : null,
                Stamp = principal.FindFirstValue(StampClaim) ?? "",
            }
            : null;

    /// <summary>The sign-in to the dashboard that this user comes from.</summary>
    public static Guid? Session(this ClaimsPrincipal principal) => Guid.TryParse(principal.FindFirstValue(SessionClaim), out var id) ? id : null;

    public static bool Allows(this ClaimsPrincipal principal, Right right) => principal.Account()?.Allows(right) == true;
}
