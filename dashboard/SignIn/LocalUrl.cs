namespace ManagedServers.Dashboard.SignIn;

/// <summary>Where to go after signing in: only ever a page of this product.</summary>
internal static class LocalUrl
{
    public const string Home = "/";

    public static string Of(string? asked) =>
        asked is ['/', ..] && !(asked.Length > 1 && asked[1] is '/' or '\\') && asked.Length <= 2000 && !asked.Any(char.IsControl) && !asked.StartsWith("/sign-", StringComparison.Ordinal)
            ? asked
            : Home;
}
