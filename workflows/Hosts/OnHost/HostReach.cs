using System.Text.Json;

namespace ManagedServers.Workflows.Hosts.OnHost;

/// <summary>Whether a host reaches the product, trusted exactly as the agent will trust it, and the broker, as the monitor will.</summary>
internal sealed class HostReach(CommandRunner runner, HostTarget target)
{
    // Python 3.6 on. The authority alone is loaded, the certificate must be for the fixed name, whatever address is dialled.
    private const string Script = """
        import json, socket, ssl, sys
        host, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=sys.stdin.read())
            with socket.create_connection((host, port), timeout=10) as plain:
                with context.wrap_socket(plain, server_hostname="managed-servers") as tls:
                    tls.sendall(("GET %s HTTP/1.0\r\nHost: managed-servers\r\nConnection: close\r\n\r\n" % path).encode("ascii"))
                    status = tls.makefile("rb").readline(4096).split()
            print(json.dumps({"status": int(status[1])} if len(status) > 1 and status[0].startswith(b"HTTP/") else {"why": "what answers there does not speak HTTP"}))
        except Exception as e:
            print(json.dumps({"why": "%s: %s" % (type(e).__name__, e)}))
        """;

    // A broker answers to the protocol's header with a frame of its own; one that speaks another version, with a header.
    private const string BrokerScript = """
        import json, socket, ssl, sys
        host, port, authority = sys.argv[1], int(sys.argv[2]), sys.stdin.read()
        try:
            with socket.create_connection((host, port), timeout=10) as plain:
                stream = plain
                if authority:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                    context.load_verify_locations(cadata=authority)
                    stream = context.wrap_socket(plain, server_hostname=host)
                stream.sendall(b"AMQP\0\0\x09\x01")
                first = stream.recv(1)
            print(json.dumps({"status": 1} if first == b"\x01" else {"why": "what answers there does not speak AMQP 0-9-1" if first else "it ends the connection without a word: see whether the port is the one with TLS or the one without"}))
        except Exception as e:
            print(json.dumps({"why": "%s: %s" % (type(e).__name__, e)}))
        """;

    public async Task<Reachability> Try(Uri url, string authorityPem, CancellationToken cancellationToken)
    {
        if (url.Scheme != Uri.UriSchemeHttps)
        {
            throw new ArgumentException("Only an https address can be tried.", nameof(url));
        }

        var host = url.HostNameType == UriHostNameType.IPv6 ? url.Host.Trim('[', ']') : url.IdnHost;
        return await Ask(["python3", "-c", Script, host, url.Port.ToString(null as IFormatProvider), url.PathAndQuery], authorityPem, cancellationToken);
    }

    public Task<Reachability> TryBroker(string address, int port, string? authorityPem, CancellationToken cancellationToken) =>
        Ask(["python3", "-c", BrokerScript, address, port.ToString(null as IFormatProvider)], authorityPem ?? "", cancellationToken);

    private async Task<Reachability> Ask(string[] argv, string authorityPem, CancellationToken cancellationToken)
    {
        var options = new CommandOptions { Stdin = new MemoryStream(System.Text.Encoding.ASCII.GetBytes(authorityPem)), Timeout = TimeSpan.FromSeconds(40) };
        var result = await runner.Run(argv, options, cancellationToken);
        if (result.ExitCode == 127)
        {
            throw new HostRejectedException(HostProblem.PythonMissing, $"{target} has no python3. Install it there, for example with `apt-get install -y python3` or `dnf install -y python3`.");
        }

        using var answer = JsonDocument.Parse(result.Check().Stdout);
        var reached = answer.RootElement.TryGetProperty("status", out var status);
        return new Reachability(reached, reached ? status.GetInt32() : null, reached ? null : answer.RootElement.GetProperty("why").GetString());
    }
}
