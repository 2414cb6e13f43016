using System.Net;
using System.Text;
using System.Text.Json;
using Docker.DotNet;
using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Hosts.Docker;

/// <summary>From what dial-stdio and the engine say to what an operator can act on.</summary>
internal static class DockerProblems
{
    /// <summary>Why a fresh connection to the engine ended without an answer.</summary>
    public static async Task<Exception> OfDial(SshChannel channel, HostTarget target, CancellationToken cancellationToken)
    {
        var said = new StringBuilder();
        var buffer = new byte[4096];
        while (said.Length < 4000 && await channel.Error.Read(buffer).AsTask().WaitAsync(cancellationToken) is var read and > 0)
        {
            said.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }

        var exit = await channel.ExitCode().WaitAsync(cancellationToken);
        return channel.Error.Started ? OfWords(said.ToString().Trim(), exit, target) : SshProblems.OfStart(channel, exit, target);
    }

    public static Exception OfWords(string said, int exit, HostTarget target)
    {
        if (exit == 127 || said.Contains("not found", StringComparison.Ordinal) && !said.Contains("daemon", StringComparison.Ordinal))
        {
            return new HostRejectedException(HostProblem.DockerMissing,
                $"{target} has no `docker` command. Install Docker there, for example with `apt-get install -y docker.io`, and see that it is in the PATH of user {target.User}.");
        }

        if (said.Contains("permission denied", StringComparison.OrdinalIgnoreCase))
        {
            return new HostRejectedException(HostProblem.DockerPermission,
                $"User {target.User} may not use Docker on {target}: \"{said}\". Put the user into the group docker there (`usermod -aG docker {target.User}`), or log in as root.");
        }

        if (said.Contains("is not a docker command", StringComparison.Ordinal) || said.Contains("unknown command", StringComparison.Ordinal))
        {
            return new HostRejectedException(HostProblem.DockerRefused, $"The Docker on {target} is too old: it does not know `docker system dial-stdio`. Version 20.10 or newer is needed.");
        }

        return new HostUnavailableException(HostProblem.DockerNotRunning,
            $"The Docker engine on {target} does not answer{(said.Length > 0 ? $": \"{said}\"" : "")}. Look at `systemctl status docker` there and start it; it is safe to try again.");
    }

    /// <param name="doing">Completes "… failed", for example "loading an image on ns1".</param>
    public static Exception Of(Exception failure, HostTarget target, string doing) => failure switch
    {
        DockerApiException api => OfAnswer(api.StatusCode, api.ResponseBody, target, doing, api),
        _ when Inner(failure) is { } known => known,
        HttpRequestException or IOException or ObjectDisposedException => new HostUnavailableException(HostProblem.DockerNotRunning,
            $"The Docker engine on {target} ended the connection while {doing}: {failure.Message} It was restarted, or the host was; it is safe to try again.", failure),
        _ => failure,
    };

    public static Exception OfAnswer(HttpStatusCode status, string? body, HostTarget target, string doing, Exception? inner = null)
    {
        var said = Message(body);
        if (said.Contains("no space left", StringComparison.OrdinalIgnoreCase))
        {
            return new HostRejectedException(HostProblem.DiskFull, $"The disk of {target} is full: {doing} failed with \"{said}\". Free some space there (`docker system df`, `df -h`), then retry.", inner);
        }

        var message = $"Docker on {target} refused {doing}: \"{said}\" (status {(int)status}).";
        return (int)status >= 500 ? new HostUnavailableException(HostProblem.DockerError, message, inner) : new HostRejectedException(HostProblem.DockerRefused, message, inner);
    }

    /// <summary>A container could not be started because another process of the same id is thought to be there.</summary>
    public static bool HoldsItsId(HostUnavailableException refused) =>
        refused.InnerException is DockerApiException api && Message(api.ResponseBody) is var said
        && (said.Contains("id already in use", StringComparison.OrdinalIgnoreCase) || said.EndsWith("already exists", StringComparison.Ordinal));

    // What Dial threw arrives wrapped by the HTTP client.
    private static Exception? Inner(Exception? failure) => failure is null or IHostProblem ? failure : Inner(failure.InnerException);

    private static string Message(string? body)
    {
        try
        {
            using var json = JsonDocument.Parse(body ?? "");
            return json.RootElement.TryGetProperty("message", out var message) ? message.GetString() ?? "" : body!;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return body?.Trim() ?? "";
        }
    }
}
