using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace ManagedServers.Engine.Tests;

/// <summary>
/// Testcontainers asks for API 1.44 whatever the engine speaks; Debian's Docker 20.10 knows 1.41. So it is told the engine's own version.
/// </summary>
internal static class DockerApi
{
    private const string Variable = "DOCKER_API_VERSION";

    public static async Task Match()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not null || !File.Exists("/var/run/docker.sock"))
        {
            return;
        }

        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint("/var/run/docker.sock"), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        var spoken = Version.Parse((await http.GetFromJsonAsync<JsonElement>("http://docker/version")).GetProperty("ApiVersion").GetString()!);
        if (spoken < new Version(1, 44))
        {
            Environment.SetEnvironmentVariable(Variable, spoken.ToString());
        }
    }
}
