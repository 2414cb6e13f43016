using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.Servers;

/// <summary>Credentials of hosts: checked where they enter, encrypted where they are kept.</summary>
public sealed class HostCredentials(Secrets secrets, SecretRedactor redactor)
{
    // Larger than any real key or password, small enough to keep in one row.
    private const int Longest = 64 * 1024;

    /// <summary>A password or a private key; null after noting the rules that were broken.</summary>
    /// <param name="prefix">Before the names of the fields, for example <c>hops[1].</c></param>
    internal HostCredential? Check(string? password, string? privateKey, string? passphrase, InputErrors errors, string prefix = "")
    {
        if (password?.Length > Longest || privateKey?.Length > Longest || passphrase?.Length > Longest)
        {
            errors.Add(prefix + (password?.Length > Longest ? "password" : "privateKey"), $"must have at most {Longest} characters");
            return null;
        }

        OneLine("password", password);
        OneLine("passphrase", passphrase);
        if (privateKey?.Contains('\0', StringComparison.Ordinal) == true)
        {
            errors.Add(prefix + "privateKey", "must not contain a NUL character: give the key's text as ssh-keygen wrote it");
        }

        switch (password, privateKey)
        {
            case (null or "", null or ""):
                errors.Add(prefix + "password", "is needed, or privateKey in its place");
                return null;
            case (not (null or ""), not (null or "")):
                errors.Add(prefix + "password", "cannot be combined with privateKey: give one of them");
                return null;
            case (null or "", _):
                return Learn(new PrivateKeyCredential(privateKey!, passphrase));
            default:
                if (!string.IsNullOrEmpty(passphrase))
                {
                    errors.Add(prefix + "passphrase", "belongs to privateKey, and there is none");
                }

                return Learn(new PasswordCredential(password!));
        }

        // Neither can be typed at a prompt; mostly it is the line end of a file that came along.
        void OneLine(string field, string? secret)
        {
            if (secret?.IndexOfAny(['\0', '\r', '\n']) >= 0)
            {
                errors.Add(prefix + field, "must be one line, without line breaks and NUL characters");
            }
            else if (secret?.Length is > 0 and < SecretRedactor.ShortestPassword)
            {
                errors.Add(prefix + field, $"must have at least {SecretRedactor.ShortestPassword} characters: a shorter one cannot be told from other text, and so not be kept out of logs. Give the host's user a longer one");
            }
        }
    }

    /// <param name="purpose">Which table's, so that a value copied elsewhere does not open there.</param>
    internal string Protect(string purpose, Guid row, HostCredential credential) => secrets.Protect(purpose, row, StoredCredential.Of(credential).ToJson());

    internal HostCredential Unprotect(string purpose, Guid row, string kept) => Learn(StoredCredential.FromJson(secrets.Unprotect(purpose, row, kept)).ToCredential());

    /// <summary>The word in which tables say what kind it is.</summary>
    internal static string AuthenticationOf(HostCredential credential) => credential is PasswordCredential ? "password" : "key";

    private HostCredential Learn(HostCredential credential)
    {
        foreach (var secret in StoredCredential.Of(credential) is var c ? new[] { c.Password, c.PrivateKey, c.Passphrase } : [])
        {
            if (secret is not null)
            {
                redactor.Learn(secret);
            }
        }

        return credential;
    }
}
