using System.Net;
using System.Text;
using Docker.DotNet;
using Docker.DotNet.Handler.Abstractions;
using ManagedServers.Workflows.Hosts.Ssh;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Hosts.Docker;

/// <summary>Docker's API over SSH: each HTTP connection is a channel that runs <c>docker system dial-stdio</c>.</summary>
internal sealed class DockerTransport : IDockerHandlerFactory<SshConnection>, IDisposable
{
    // Of the eight channels of a host; the others are for commands.
    private const int MostConnections = 4;

    // An idle one holds a channel and a process on the host.
    private static readonly TimeSpan KeepIdle = TimeSpan.FromSeconds(10);
    private static readonly Uri Endpoint = new("http://docker/");
    private readonly SocketsHttpHandler handler;

    /// <param name="target">The host as who asks calls it, and as whom he works there.</param>
    public DockerTransport(SshConnection connection, HostTarget target)
    {
        handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) => await Dial(connection, target, cancellationToken),
            MaxConnectionsPerServer = MostConnections,
            PooledConnectionIdleTimeout = KeepIdle,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
        };
        Raw = new HttpClient(handler, disposeHandler: false) { BaseAddress = Endpoint, Timeout = Timeout.InfiniteTimeSpan };
        Client = new DockerClientBuilder<SshConnection>(this, connection).WithEndpoint(Endpoint).WithTimeout(Timeout.InfiniteTimeSpan).Build();
    }

    public DockerClient Client { get; }

    /// <summary>For what must reach the engine exactly as it was rendered.</summary>
    public HttpClient Raw { get; }

    public ResolvedTransport CreateHandler(SshConnection transportOptions, ResolvedClientOptions clientOptions, ILogger logger) => new(handler, Endpoint);

    public ResolvedTransport CreateHandler(ResolvedClientOptions clientOptions, ILogger logger) => new(handler, Endpoint);

    public Task<WriteClosableStream> HijackStreamAsync(HttpContent content) => throw new NotSupportedException("Nothing here attaches to a container.");

    public void Dispose()
    {
        Raw.Dispose();
        Client.Dispose();
        handler.Dispose();
    }

    // The engine is asked once before the connection is handed on, because only here is it known what dial-stdio says when it fails.
    private static async Task<Stream> Dial(SshConnection connection, HostTarget target, CancellationToken cancellationToken)
    {
        var asRoot = target.Login.Kind == LoginKind.Sudo;
        var what = $"reaching Docker on {target}";
        var channel = await connection.Open(target, ["docker", "system", "dial-stdio"], new Dictionary<string, string>(), true, asRoot, what, cancellationToken);
        try
        {
            // Nothing is sent to a sudo that refuses: data for a channel that has ended already makes sshd end the whole connection.
            if (asRoot && !await channel.Output.Start().WaitAsync(cancellationToken))
            {
                throw await DockerProblems.OfDial(channel, target, cancellationToken);
            }

            await channel.Write("GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"u8.ToArray());
            var answer = new StringBuilder();
            var buffer = new byte[4096];
            while (!IsWhole(answer.ToString()))
            {
                var read = await channel.Output.Read(buffer).AsTask().WaitAsync(cancellationToken);
                if (read == 0)
                {
                    throw await DockerProblems.OfDial(channel, target, cancellationToken);
                }

                answer.Append(Encoding.ASCII.GetString(buffer, 0, read));
            }

            return new ChannelStream(channel);
        }
        catch
        {
            await channel.DisposeAsync();
            throw;
        }
    }

    // "HTTP/1.1 200 OK", headers, and the body "OK" with its Content-Length of 2. An engine that is ill answers 500 with a text of its own.
    private static bool IsWhole(string answer)
    {
        var end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var length = answer.IndexOf("content-length:", StringComparison.OrdinalIgnoreCase);
        return end >= 0 && length >= 0 && length < end
            && int.TryParse(answer.AsSpan(length + 15, answer.IndexOf('\r', length) - length - 15).Trim(), out var body) && answer.Length >= end + 4 + body;
    }
}
