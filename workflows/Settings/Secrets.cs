using Microsoft.AspNetCore.DataProtection;

namespace ManagedServers.Workflows.Settings;

/// <summary>Encrypts secrets for one row of one table: a value copied into another row does not open there.</summary>
public sealed class Secrets(IDataProtectionProvider protection, SecretRedactor redactor)
{
    public string Protect(string purpose, Guid row, string secret)
    {
        redactor.Learn(secret);
        return protection.CreateProtector("managed-servers", purpose, row.ToString("n")).Protect(secret);
    }

    /// <summary>What somebody wrote, without the secrets that are known by now.</summary>
    public string Redact(string text) => redactor.Redact(text);

    public string Unprotect(string purpose, Guid row, string protectedSecret)
    {
        var secret = protection.CreateProtector("managed-servers", purpose, row.ToString("n")).Unprotect(protectedSecret);
        redactor.Learn(secret);
        return secret;
    }
}
