using System.CommandLine;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using ManagedServers.Cli.Client;

namespace ManagedServers.Cli.Session;

/// <summary>Where to, whom to trust and as whom: options first, then the environment, then what `msctl login` stored.</summary>
internal sealed class Connection(ParseResult parse, LoginFile file)
{
    private readonly Lazy<StoredLogin?> stored = new(file.Read);

    public StoredLogin? Stored => stored.Value;

    public Uri Address() => ParseAddress(
        Given(GlobalOptions.Url, "MSCTL_URL") ?? Stored?.Url
        ?? throw new NotSignedInException("The address of the product is not known.", "Sign in once with: msctl login (or give --url and --ca)"));

    public PinnedAuthority Authority() => GivenAuthority() ?? StoredAuthority()
        ?? throw new NotSignedInException("It is not known which authority to trust.", "Sign in once with: msctl login (or give --ca FILE)");

    public PinnedAuthority? GivenAuthority() => Given(GlobalOptions.Ca, "MSCTL_CA") is { } path ? ReadAuthority(path) : null;

    public string? GivenUser() => Given(GlobalOptions.User, "MSCTL_USER");

    public string? GivenPasswordFile() => Given(GlobalOptions.PasswordFile, "MSCTL_PASSWORD_FILE");

    public ProductClient Client(TimeProvider time)
    {
        var address = Address();
        var authority = Authority();
        return new ProductClient(new ProductHttp(address, authority, Credentials(authority), time));
    }

    public static AuthenticationHeaderValue Basic(string user, string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    public static Uri ParseAddress(string text)
    {
        var full = text.Contains("://", StringComparison.Ordinal) ? text : $"https://{text}";
        if (!Uri.TryCreate(full, UriKind.Absolute, out var address) || address.Host.Length == 0)
        {
            throw new UsageException($"'{text}' is not an address.", "Give it as https://HOST:8443");
        }

        return address.Scheme == Uri.UriSchemeHttps
            ? new Uri(address.GetLeftPart(UriPartial.Authority))
            : throw new UsageException($"'{text}' is not encrypted.", "The product speaks https only: https://HOST:8443");
    }

    private AuthenticationHeaderValue Credentials(PinnedAuthority authority)
    {
        // What was typed counts more than what the environment says, and both more than what was stored.
        if (parse.GetValue(GlobalOptions.TokenFile) is { } typedToken)
        {
            return new AuthenticationHeaderValue("Bearer", SecretInput.Line(typedToken, "a token"));
        }

        if (GivenPasswordFile() is { } passwordFile && (parse.GetValue(GlobalOptions.PasswordFile) is not null || Variable("MSCTL_TOKEN_FILE") is null))
        {
            var user = GivenUser() ?? throw new UsageException("A password file was given, but not whose password it is.", "Add --user NAME");
            return Basic(user, SecretInput.Line(passwordFile, "a password"));
        }

        return Variable("MSCTL_TOKEN_FILE") is { } token
            ? new AuthenticationHeaderValue("Bearer", SecretInput.Line(token, "a token"))
            : StoredOrAsked(authority);
    }

    private AuthenticationHeaderValue StoredOrAsked(PinnedAuthority authority)
    {
        var user = GivenUser();
        if (user is not null && user != Stored?.User)
        {
            return Basic(user, SecretInput.Ask($"Password of {user}", "Give --password-file FILE (- for standard input)"));
        }

        // The authority is the product's identity: its token goes to any address that proves to be of this product, and nowhere else.
        return Stored?.Token is { } token && StoredAuthority() is { } known && known.Same(authority)
            ? new AuthenticationHeaderValue("Bearer", token)
            : throw new NotSignedInException("Nobody is signed in here.", "Sign in with: msctl login (or give --user and --password-file, or --token-file)");
    }

    private PinnedAuthority? StoredAuthority()
    {
        try
        {
            return Stored is { } login ? PinnedAuthority.Parse(login.Ca) : null;
        }
        catch (CryptographicException e)
        {
            throw new UsageException($"The authority stored in {file.Path} cannot be read: {e.Message}", "Sign in again: msctl login");
        }
    }

    private static PinnedAuthority ReadAuthority(string path)
    {
        try
        {
            return PinnedAuthority.Parse(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new UsageException($"The authority cannot be read from {path}: {e.Message}", "Give a PEM file, for example what the product serves at /ca.pem");
        }
    }

    private string? Given(Option<string?> option, string variable) => parse.GetValue(option) ?? Variable(variable);

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
