using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;
using ManagedServers.Workflows.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace ManagedServers.Api.Authentication;

/// <summary>Basic for people, Bearer for tokens. Never a cookie: so no other site can make a browser call the API.</summary>
internal sealed class ApiAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, Accounts accounts, Tokens tokens, FailedSignIns failures)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    // The handler lives as long as its request.
    private DateTimeOffset? mustWaitUntil;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!AuthenticationHeaderValue.TryParse(Request.Headers.Authorization, out var header) || string.IsNullOrEmpty(header.Parameter))
        {
            return AuthenticateResult.NoResult();
        }

        var account = header.Scheme.ToUpperInvariant() switch
        {
            "BEARER" => await tokens.Find(header.Parameter, Context.RequestAborted),
            "BASIC" => await Basic(header.Parameter),
            _ => null,
        };
        return account is null
            ? AuthenticateResult.Fail("Unknown name, wrong password or unknown token.")
            : AuthenticateResult.Success(new AuthenticationTicket(AccountPrincipal.Of(account, Scheme.Name), Scheme.Name));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (mustWaitUntil is { } until)
        {
            var seconds = Math.Max(1, (int)Math.Ceiling((until - TimeProvider.GetUtcNow()).TotalSeconds));
            Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            return Problems.Write(Context, StatusCodes.Status429TooManyRequests, "too-many-sign-ins", "Too many wrong passwords",
                $"Passwords for this name are not looked at from {Context.Connection.RemoteIpAddress} for now, right or wrong. Try again in {seconds} s, at {until:HH:mm:ss} UTC.");
        }

        Response.Headers.WWWAuthenticate = """Basic realm="managed-servers", charset="UTF-8", Bearer""";
        return Problems.Write(Context, StatusCodes.Status401Unauthorized, "not-signed-in", "Not signed in",
            string.IsNullOrEmpty(Request.Headers.Authorization)
                ? "The request carries no credentials. Send a token (Authorization: Bearer …) or name and password (Basic). 'msctl login' makes a token."
                : "The name or the password is not right, or the token is not known (any more). 'msctl login' makes a new token.");
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Problems.Write(Context, StatusCodes.Status403Forbidden, "not-allowed", "Not allowed",
            $"The account '{Context.User.Identity?.Name}' has no right to do this. An administrator can give it one by adding it to a group.");

    private async Task<Account?> Basic(string parameter)
    {
        var bytes = new byte[parameter.Length];
        if (!Convert.TryFromBase64String(parameter, bytes, out var length))
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1 || text.Contains('\0'))
        {
            return null;
        }

        var (name, from) = (text[..colon], Context.Connection.RemoteIpAddress);
        Account? account = null;
        mustWaitUntil = await failures.Try(from, name, async () => (account = await accounts.Verify(name, text[(colon + 1)..], Context.RequestAborted)) is not null, Context.RequestAborted);
        return account;
    }
}
