using System.Buffers.Text;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace ManagedServers.Bench.Ingest;

/// <summary>One TLS connection that is kept, as an agent keeps it; HTTP/1.1 by hand, because a client library would take more of the machine than the product does.</summary>
internal sealed class KeptConnection(IPEndPoint address, X509Certificate2 authority) : IAsyncDisposable
{
    private readonly byte[] answer = new byte[16 * 1024];
    private SslStream? stream;

    public async Task Open(CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "managed-servers",
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authority }, RevocationMode = X509RevocationMode.NoCheck },
        }, cancellationToken);
    }

    /// <returns>The status, and what was said.</returns>
    /// <exception cref="IOException">The connection has ended; whether the request was heard is not known.</exception>
    public async ValueTask<(int Status, ReadOnlyMemory<byte> Said)> Exchange(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        await stream!.WriteAsync(request, cancellationToken);
        var length = 0;
        while (true)
        {
            var read = await stream.ReadAsync(answer.AsMemory(length), cancellationToken);
            length += read > 0 ? read : throw new IOException("The product has closed the connection.");
            if (IsWhole(answer.AsSpan(0, length), out var status))
            {
                return (status, answer.AsMemory(0, length));
            }
        }
    }

    public async ValueTask Close()
    {
        if (stream is { } open)
        {
            stream = null;
            await open.DisposeAsync();
        }
    }

    public ValueTask DisposeAsync() => Close();

    private static bool IsWhole(ReadOnlySpan<byte> said, out int status)
    {
        status = 0;
        var end = said.IndexOf("\r\n\r\n"u8);
        if (end < 0 || !Utf8Parser.TryParse(said["HTTP/1.1 ".Length..], out status, out _))
        {
            return false;
        }

        var head = said[..end];
        var body = said[(end + 4)..];
        var label = "\r\nContent-Length: "u8;
        var at = head.IndexOf(label);
        return at >= 0 && Utf8Parser.TryParse(head[(at + label.Length)..], out int length, out _) ? body.Length >= length : body.EndsWith("0\r\n\r\n"u8);
    }
}
