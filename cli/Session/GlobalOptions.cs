using System.CommandLine;

namespace ManagedServers.Cli.Session;

/// <summary>Options that every command takes. Each can also come from the environment; `msctl login` stores the rest.</summary>
internal static class GlobalOptions
{
    public static Option<string?> Url { get; } = new("--url")
    {
        Description = "Address of the product, for example https://10.0.0.5:8443. [MSCTL_URL]", HelpName = "URL", Recursive = true,
    };

    public static Option<string?> Ca { get; } = new("--ca")
    {
        Description = "Trust only the authority in this PEM file. [MSCTL_CA]", HelpName = "FILE", Recursive = true,
    };

    public static Option<string?> User { get; } = new("--user")
    {
        Description = "Account to sign in with, together with a password file. [MSCTL_USER]", HelpName = "NAME", Recursive = true,
    };

    public static Option<string?> PasswordFile { get; } = new("--password-file")
    {
        Description = "Read the account's password from this file; - for standard input. [MSCTL_PASSWORD_FILE]", HelpName = "FILE", Recursive = true,
    };

    public static Option<string?> TokenFile { get; } = new("--token-file")
    {
        Description = "Read a bearer token from this file; - for standard input. [MSCTL_TOKEN_FILE]", HelpName = "FILE", Recursive = true,
    };

    public static Option<string> Output { get; } = Choice();

    public static Option<bool> NoColor { get; } = new("--no-color")
    {
        Description = "No colours, also on a terminal. [NO_COLOR]", Recursive = true,
    };

    public static IReadOnlyList<Option> All { get; } = [Url, Ca, User, PasswordFile, TokenFile, Output, NoColor];

    private static Option<string> Choice()
    {
        var output = new Option<string>("--output", "-o")
        {
            Description = "table for people, json for programs: the API's own JSON on standard output; csv where a command says so.", HelpName = "table|json|csv", Recursive = true,
            DefaultValueFactory = _ => "table",
        };
        return output.AcceptOnlyFromAmong("table", "json", "csv");
    }
}
