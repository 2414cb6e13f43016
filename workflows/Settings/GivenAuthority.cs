using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Settings;

/// <summary>An authority that an operator gives, for a service whose certificate the system does not trust.</summary>
internal static class GivenAuthority
{
    private const int Longest = 64 * 1024;

    /// <param name="pem">Empty or null for none.</param>
    /// <returns>The certificates alone; null for none, or after noting what is wrong.</returns>
    public static string? Check(string? pem, InputErrors errors)
    {
        if (string.IsNullOrEmpty(pem))
        {
            return null;
        }

        try
        {
            var certificates = new X509Certificate2Collection();
            if (pem.Length <= Longest)
            {
                certificates.ImportFromPem(pem);
            }

            if (certificates.Count > 0 && !pem.Contains("PRIVATE KEY", StringComparison.Ordinal))
            {
                return string.Concat(certificates.Select(c => c.ExportCertificatePem() + "\n"));
            }
        }
        catch (CryptographicException)
        {
            // Told below.
        }

        errors.Add("authority", $"must be certificates in PEM (-----BEGIN CERTIFICATE-----), at most {Longest} characters, without a private key");
        return null;
    }
}
