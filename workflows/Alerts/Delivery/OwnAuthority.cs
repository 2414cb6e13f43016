using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ManagedServers.Workflows.Alerts;

/// <summary>Certificates of channels: the system's authorities are trusted, or the channel's alone.</summary>
internal static class OwnAuthority
{
    /// <returns>What is wrong; null when nothing is.</returns>
    public static string? Wrong(X509Certificate? presented, SslPolicyErrors problems, string? authority)
    {
        if (presented is null || problems.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            return "it presents no certificate";
        }

        if (problems.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return $"its certificate ({presented.Subject}) is for another name";
        }

        if (authority is null)
        {
            return problems == SslPolicyErrors.None ? null : $"its certificate ({presented.Subject}, signed by {presented.Issuer}) is of no authority that this system trusts; name its authority with the channel";
        }

        using var certificate = new X509Certificate2(presented);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate) ? null : $"its certificate ({certificate.Subject}, signed by {certificate.Issuer}) does not lead to the channel's authority";
    }
}
