using System.CommandLine;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>How the product signs in on a host, from files.</summary>
internal static class HostCredentials
{
    public static (string? Password, string? Key, string? Passphrase) Read(Invocation call, Option<string?> password, Option<string?> key, Option<string?> passphrase)
    {
        if (call.Get(password) is not null && call.Get(key) is not null)
        {
            throw new UsageException("Both a password and a key were given.", "Give one: --password-file FILE or --key-file FILE");
        }

        if (call.Get(passphrase) is not null && call.Get(key) is null)
        {
            throw new UsageException("A passphrase was given, but no key.", "Add --key-file FILE");
        }

        return (
            call.Get(password) is { } file ? SecretInput.Line(file, "an SSH password") : null,
            call.Get(key) is { } keyFile ? SecretInput.All(keyFile, "a private key") : null,
            call.Get(passphrase) is { } passphraseFile ? SecretInput.Line(passphraseFile, "a passphrase") : null);
    }
}
