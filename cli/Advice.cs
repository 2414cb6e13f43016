using ManagedServers.Cli.Client;

namespace ManagedServers.Cli;

/// <summary>What an operator can do about a request that failed.</summary>
internal static class Advice
{
    public static string? For(RefusedException e) => e switch
    {
        { Problem.Detail: { } detail } when detail.Contains("msctl ", StringComparison.Ordinal) => null,   // the product says it itself
        { Problem.Type: { } type } when type.EndsWith("components-installed", StringComparison.Ordinal) => "To remove it all the same: --force",
        { Status: 401 } => "Sign in again: msctl login",
        { Status: 403 } => "The account has not this right. Who you are: msctl whoami",
        { Problem.Type: { } type } when type.EndsWith("host-key-changed", StringComparison.Ordinal) =>
            "The host may have been installed anew, or somebody stands in between: ask who looks after it before you accept anything (then: msctl servers host-key NAME).",
        { Status: 404 } when e.Tried.Contains("/pvservers/", StringComparison.Ordinal) => "What there is: msctl servers list",
        { Status: 404 } when e.Tried.Contains("/sshroutes/", StringComparison.Ordinal) => "What there is: msctl routes list",
        { Status: 404 } when e.Tried.Contains("/commands/", StringComparison.Ordinal) => "What there is: msctl commands list",
        { Status: 404 } when e.Tried.Contains("/tokens/", StringComparison.Ordinal) => "What there is: msctl tokens list",
        { Status: 404 } when e.Tried.Contains("/runs/", StringComparison.Ordinal) => "What there is: msctl runs list",
        { Status: 429, Problem.Detail: null } => "Try again in a while.",
        { Passing: true } => "The product is starting or overloaded; try again in a while.",
        { Status: 500 } or { Status: > 500, Problem.Type: null } => "The product's own log says more.",
        _ => null,
    };

    public static string For(UnreachableException e) => e.Untrusted
        ? "If the product was installed anew, sign in again and compare the fingerprint: msctl login"
        : "Look whether the product runs and whether the address is right: --url, MSCTL_URL, or what `msctl login` stored.";
}
