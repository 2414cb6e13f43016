using System.CommandLine;
using System.Net.Http.Headers;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Access;

/// <summary>Ends the token that `login` made.</summary>
internal static class LogoutCommand
{
    private static readonly Option<bool> Local = new("--local")
    {
        Description = "Only forget the token here. It stays good in the product until it expires.",
    };

    public static DocumentedCommand Build() => new DocumentedCommand("logout", "End the sign-in: revoke the token and forget it.")
    {
        Notes = ["Address and authority are kept, so the next `msctl login` asks less."],
        Examples = ["msctl logout"],
    }.With(Local).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        if (call.Connection.Stored is not { Token: { } token } login)
        {
            call.Screen.Note("Nobody is signed in here; nothing to do.");
            return ExitCode.Done;
        }

        if (!call.Get(Local))
        {
            await Revoke(call, login.Url, PinnedAuthority.Parse(login.Ca), token, cancellationToken);
        }

        call.Login.Write(login with { Token = null, ExpiresAt = null });
        call.Screen.Note(call.Get(Local) ? $"Forgotten here; the token stays good in the product{(login.ExpiresAt is { } end ? $" until {Words.Time(end)}" : "")}." : "Signed out; the token is revoked.");
        return ExitCode.Done;
    }

    // Always the stored token at the stored address: what else is given concerns other sign-ins.
    private static async Task Revoke(Invocation call, string url, PinnedAuthority authority, string token, CancellationToken cancellationToken)
    {
        using var product = new ProductClient(new ProductHttp(new Uri(url), authority, new AuthenticationHeaderValue("Bearer", token), call.Time));
        try
        {
            await product.Access.RevokeToken(cancellationToken);
        }
        catch (RefusedException e) when (e.Status == 401)
        {
            // Expired or revoked already: what was wanted.
        }
        catch (UnreachableException)
        {
            call.Screen.Note("The token could not be revoked. To forget it here all the same: msctl logout --local", Tone.Warning);
            throw;
        }
    }
}
