using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Settings;

/// <summary>The product's own authority: made once, kept encrypted, the only one that agents and msctl trust.</summary>
public sealed class CertificateAuthority
{
    /// <summary>The name in every node's certificate, whatever address is dialled.</summary>
    public const string ServerName = "managed-servers";

    private static readonly Guid Row = new("6d736361-0000-4000-8000-000000000001");
    private readonly X509Certificate2 authority;

    private CertificateAuthority(X509Certificate2 authority) => this.authority = authority;

    /// <summary>The authority's certificate, for trust stores.</summary>
    public string Pem => authority.ExportCertificatePem() + "\n";

    public static async Task<CertificateAuthority> Open(NpgsqlDataSource database, Secrets secrets, TimeProvider time, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        const string select = "select certificate, private_key from settings.certificate_authority";
        var stored = await connection.QuerySingleOrDefaultAsync<(string Certificate, string PrivateKey)?>(select);
        if (stored is null)
        {
            using var made = Create(time);
            using var key = made.GetECDsaPrivateKey()!;
            await connection.ExecuteAsync(
                "insert into settings.certificate_authority (certificate, private_key) values (@certificate, @key) on conflict do nothing",
                new { certificate = made.ExportCertificatePem(), key = secrets.Protect("authority", Row, key.ExportPkcs8PrivateKeyPem()) });
            stored = await connection.QuerySingleAsync<(string, string)>(select);
        }

        return new CertificateAuthority(X509Certificate2.CreateFromPem(stored.Value.Certificate, secrets.Unprotect("authority", Row, stored.Value.PrivateKey)));
    }

    /// <summary>A certificate for one node, valid for a year.</summary>
    public X509Certificate2 Issue(IEnumerable<IPAddress> addresses, TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={ServerName}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(ServerName);
        names.AddDnsName("localhost");
        foreach (var address in addresses.Append(IPAddress.Loopback).Append(IPAddress.IPv6Loopback).Distinct())
        {
            names.AddIpAddress(address);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        var now = time.GetUtcNow();
        using var certificate = request.Create(authority, now.AddHours(-1), now.AddYears(1), RandomNumberGenerator.GetBytes(16));
        using var withKey = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    private static X509Certificate2 Create(TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Managed Servers authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));

        // Agents may live on hosts whose clock is a day off until somebody looks.
        var now = time.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-2), now.AddYears(10));
    }
}
