using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.Enrolment;

/// <summary>What an operator takes to the host.</summary>
/// <param name="Line">To paste there; the same for every server that reaches the product at the same address, and no secret.</param>
/// <param name="Token">Asked for by the line; shown this once. Null where it was shown before.</param>
public sealed record HostEnrolment(string Line, string? Token, DateTimeOffset? ExpiresAt);

/// <summary>
/// The one line: fetches the product's authority without trust and compares its digest, then fetches the script with that trust and compares that too. Nothing that
/// was not compared is run.
/// </summary>
public sealed class EnrolmentLine(CertificateAuthority authority, ReportAddress address)
{
    public const string ScriptPath = "/enrol.py";

    public static byte[] Script => PayloadFiles.EnrolScript;

    public async Task<string> For(Server server, CancellationToken cancellationToken = default)
    {
        var product = await address.For(server, cancellationToken);
        using var certificate = X509Certificate2.CreateFromPem(authority.Pem);
        return Render(product, Convert.ToHexStringLower(SHA256.HashData(certificate.RawData)), Convert.ToHexStringLower(SHA256.HashData(Script)));
    }

    /// <param name="authority">SHA-256 of the certificate, as openssl and msctl show it.</param>
    internal static string Render(Uri product, string authority, string script) => new StringBuilder("python3 -c 'import hashlib,socket,ssl,sys;")
        // An address has letters, digits, dots, dashes and colons: nothing that a shell or Python would take for its own.
        .Append($"A=(\"{product.IdnHost}\",{product.Port});")
        .Append("G=lambda c,p:(lambda s:(s.sendall((\"GET \"+p+\" HTTP/1.0\\r\\n\\r\\n\").encode()),s.makefile(\"rb\").read().split(b\"\\r\\n\\r\\n\",1)[-1])[1])")
        .Append($"(c.wrap_socket(socket.create_connection(A,30),server_hostname=\"{CertificateAuthority.ServerName}\"));")
        .Append("D=lambda b,d,w:b if hashlib.sha256(b).hexdigest()==d else sys.exit(\"Nothing was run: \"+w);")
        .Append("T=lambda:ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT);c=T();c.check_hostname=False;c.verify_mode=ssl.CERT_NONE;")
        // The bytes of the certificate and not its text: a text may hold a second one.
        .Append($"a=D(ssl.PEM_cert_to_DER_cert(G(c,\"/ca.pem\").decode()),\"{authority}\",\"who answers at this address is not the product.\");")
        .Append("c=T();c.load_verify_locations(cadata=a);")
        .Append($"s=D(G(c,\"{ScriptPath}\"),\"{script}\",\"the product has another script by now. A new line: msctl servers enrol NAME\");")
        .Append("exec(compile(s,\"enrol.py\",\"exec\"),{\"__name__\":\"__main__\",\"PRODUCT\":A,\"AUTHORITY\":a})'")
        .ToString();
}
