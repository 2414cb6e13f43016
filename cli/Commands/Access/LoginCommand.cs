using System.CommandLine;
using System.Globalization;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Access;

/// <summary>Signs in once, so that the commands after it need nothing.</summary>
internal static class LoginCommand
{
    private const string Never = "never";

    private static readonly Argument<string?> Url = new("URL") { Description = "Address of the product; the same as --url", Arity = ArgumentArity.ZeroOrOne };

    private static readonly Option<string?> Fingerprint = new("--ca-fingerprint")
    {
        Description = "Accept the product's authority without a question if this is its SHA-256 fingerprint.", HelpName = "SHA256",
    };

    private static readonly Option<string?> TokenName = new("--token-name")
    {
        Description = "What the token is called in the product's list. msctl@HOST if not given.", HelpName = "NAME",
    };

    private static readonly Option<string?> Expires = new("--expires") { Description = "After how many days the sign-in ends, or never. 90 if not given.", HelpName = "DAYS|never" };

    public static DocumentedCommand Build() => new DocumentedCommand("login", "Sign in and remember it.")
    {
        Notes =
        [
            "Asks for what is not given. The product's certificate authority is read from the product itself and trusted from then on, alone: compare the fingerprint that is shown with the one on the product's machine (openssl x509 -in ca.pem -noout -fingerprint -sha256).",
            "The password is used once, to make a token. The token is kept in ~/.config/msctl/config.json, readable by you alone; `msctl logout` ends it, `msctl tokens list` shows all that you have.",
        ],
        Examples =
        [
            "msctl login https://10.0.0.5:8443",
            "msctl login https://10.0.0.5:8443 --expires 7",
            "msctl login https://10.0.0.5:8443 --ca ca.pem --user admin --password-file admin-password",
        ],
    }.With(Url, Fingerprint, TokenName, Expires).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var (connection, days) = (call.Connection, Days(call.Get(Expires)));
        var address = Connection.ParseAddress(call.Parse.GetValue(Url) ?? call.Get(GlobalOptions.Url) ?? Environment.GetEnvironmentVariable("MSCTL_URL")
            ?? Terminal.Ask("Address of the product", Stored(connection)?.Url, "Give it: --url https://HOST:8443"));
        var authority = await Authority(call, address, cancellationToken);
        var user = connection.GivenUser() ?? (connection.GivenPasswordFile() is null ? Terminal.Ask("Account", Stored(connection)?.User ?? "admin", "Give it: --user NAME") : "admin");
        var password = connection.GivenPasswordFile() is { } file
            ? SecretInput.Line(file, "a password")
            : SecretInput.Ask($"Password of {user}", "Give it in a file: --password-file FILE (- for standard input)");

        using var product = new ProductClient(new ProductHttp(address, authority, Connection.Basic(user, password), call.Time));
        var name = call.Get(TokenName) ?? $"msctl@{Environment.MachineName}";
        var token = (await product.Access.CreateToken(new TokenRequest(name, days, call.Get(Expires) == Never ? true : null), cancellationToken)).Value;
        call.Login.Write(new StoredLogin { Url = address.GetLeftPart(UriPartial.Authority), Ca = authority.Pem, User = user, Token = token.Token, ExpiresAt = token.ExpiresAt });

        var until = token.ExpiresAt is { } end ? $", until {Words.Time(end)}" : "";
        call.Screen.Note($"Signed in as {SafeText.Line(user)} at {address.GetLeftPart(UriPartial.Authority)}{until}. Kept in {call.Login.Path}.", Tone.Good);
        return ExitCode.Done;
    }

    private static int? Days(string? expires) => expires is null or Never ? null
        : int.TryParse(expires, NumberStyles.None, CultureInfo.InvariantCulture, out var days) ? days : throw new UsageException($"--expires {SafeText.Line(expires)}: a number of days was expected, or {Never}.");

    private static async Task<PinnedAuthority> Authority(Invocation call, Uri address, CancellationToken cancellationToken)
    {
        if (call.Connection.GivenAuthority() is { } given)
        {
            return given;
        }

        var found = await ProductHttp.FetchAuthority(address, cancellationToken);
        var shown = string.Join("\n  ", found.Fingerprints);
        if (call.Get(Fingerprint) is { } expected)
        {
            return found.Matches(expected) ? found : throw new UsageException(
                $"The authority of {address} is another one than was expected.\n  shown:    {shown}\n  expected: {expected}",
                "Nothing was sent. Ask who looks after the product before you go on.");
        }

        call.Screen.Note($"The product's certificate authority has the SHA-256 fingerprint\n  {shown}");
        if (!Terminal.CanAsk)
        {
            throw new UsageException("Whether this is the right authority could not be asked: there is no terminal.", "Compare it, then give --ca-fingerprint SHA256, or the authority itself with --ca FILE.");
        }

        return Terminal.Confirm("Is it the right one, and shall it be trusted from now on?")
            ? found
            : throw new UsageException("Not accepted; nothing was sent.");
    }

    // A damaged file must not keep anybody from signing in again.
    private static StoredLogin? Stored(Connection connection)
    {
        try
        {
            return connection.Stored;
        }
        catch (UsageException)
        {
            return null;
        }
    }
}
