using System.Formats.Tar;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ManagedServers.Lab;

/// <summary>A certificate for the address of a service of the lab, signed by an authority of its own.</summary>
internal static class LabCertificates
{
    /// <returns>The tar that Docker unpacks before the first start: <c>/etc/SERVICE/tls</c> with <c>ca.pem</c>, <c>certificate.pem</c> and <c>key.pem</c>.</returns>
    public static (MemoryStream Archive, string AuthorityPem) Of(string service, string address)
    {
        var (yesterday, nextYear) = (TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddYears(1));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest($"CN=Authority of the lab's {service}", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authorityRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        authorityRequest.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(authorityRequest.PublicKey, false));
        using var authority = authorityRequest.CreateSelfSigned(yesterday, nextYear);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={service}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(address));
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, yesterday, nextYear, RandomNumberGenerator.GetBytes(8));

        var archive = new MemoryStream();
        using (var tar = new TarWriter(archive, leaveOpen: true))
        {
            Add("ca.pem", authority.ExportCertificatePem());
            Add("certificate.pem", certificate.ExportCertificatePem());
            Add("key.pem", key.ExportPkcs8PrivateKeyPem());

            void Add(string name, string text) => tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"etc/{service}/tls/{name}") { DataStream = new MemoryStream(Encoding.ASCII.GetBytes(text)) });
        }

        archive.Position = 0;
        return (archive, authority.ExportCertificatePem());
    }
}
