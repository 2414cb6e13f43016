using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ManagedServers.Cli.Client;

/// <summary>
/// The only authority that is trusted. The machine's own store is never asked: a certificate counts when it chains to
/// this authority and is made out to the product's fixed name or to the host that was dialled.
/// </summary>
public sealed class PinnedAuthority
{
    /// <summary>The name in every node's certificate, whatever address it is reached at.</summary>
    public const string ServerName = "managed-servers";

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private readonly X509Certificate2Collection anchors;

    private PinnedAuthority(X509Certificate2Collection anchors, string pem) => (this.anchors, Pem) = (anchors, pem);

    /// <summary>The certificates in PEM.</summary>
    public string Pem { get; }

    /// <summary>SHA-256 of each certificate, in pairs of hexadecimal digits with colons, as <c>openssl x509 -fingerprint -sha256</c> prints it.</summary>
    public IReadOnlyList<string> Fingerprints => [.. anchors.Select(a => string.Join(':', SHA256.HashData(a.RawData).Select(b => b.ToString("X2", null))))];

    /// <summary>Reads one or more certificates.</summary>
    /// <exception cref="CryptographicException">The text holds no certificate.</exception>
    public static PinnedAuthority Parse(string pem)
    {
        var anchors = new X509Certificate2Collection();
        anchors.ImportFromPem(pem);
        return anchors.Count > 0
            ? new PinnedAuthority(anchors, anchors.ExportCertificatePems())
            : throw new CryptographicException("There is no certificate in it.");
    }

    /// <summary>Whether both trust the same certificates.</summary>
    public bool Same(PinnedAuthority other) => Fingerprints.Order().SequenceEqual(other.Fingerprints.Order());

    /// <summary>Whether this fingerprint, in any usual spelling, is that of every certificate here.</summary>
    public bool Matches(string fingerprint) => Fingerprints.All(f => Bare(f) == Bare(fingerprint));

    /// <summary>Null when the certificate is the product's; otherwise why not.</summary>
    /// <param name="certificate">What the other side showed.</param>
    /// <param name="intermediates">What it sent along.</param>
    /// <param name="dialled">The host that was dialled.</param>
    public string? Refusal(X509Certificate2? certificate, X509Certificate2Collection intermediates, string dialled)
    {
        if (certificate is null)
        {
            return "it showed no certificate";
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(anchors);
        chain.ChainPolicy.ExtraStore.AddRange(intermediates);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        if (!chain.Build(certificate))
        {
            var why = string.Join(" ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()).Distinct());
            return $"its certificate ({certificate.Subject}) is not from the authority that is trusted here: {why}";
        }

        return certificate.MatchesHostname(ServerName) || certificate.MatchesHostname(dialled)
            ? null
            : $"its certificate ({certificate.Subject}) is made out neither to '{ServerName}' nor to '{dialled}'";
    }

    internal bool Validate(X509Certificate? certificate, X509Chain? chain, string dialled, out string? refusal)
    {
        var sent = new X509Certificate2Collection();
        foreach (var element in chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            sent.Add(element.Certificate);
        }

        refusal = Refusal(certificate as X509Certificate2, sent, dialled);
        return refusal is null;
    }

    private static string Bare(string fingerprint)
    {
        var text = fingerprint.Trim();
        text = text.StartsWith("sha256:", StringComparison.OrdinalIgnoreCase) ? text[7..] : text;
        return text.Replace(":", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant();
    }
}
