using System.Text;
using System.Text.Json;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace ManagedServers.Workflows.Hosts.Docker;

/// <summary>One question to an engine: within a time limit, with typed errors.</summary>
internal sealed class DockerAsk(DockerTransport transport, HostTarget target)
{
    public static Dictionary<string, IDictionary<string, bool>> WithLabel(string label, string value) =>
        new() { ["label"] = new Dictionary<string, bool> { [$"{label}={value}"] = true } };

    public Task<T> For<T>(string doing, TimeSpan limit, Func<DockerClient, CancellationToken, Task<T>> question, CancellationToken cancellationToken) =>
        Within(doing, limit, ct => question(transport.Client, ct), cancellationToken);

    public Task<string> Create(string name, JsonElement specification, TimeSpan limit, CancellationToken cancellationToken)
    {
        var doing = $"creating container {name}";
        return Within(doing, limit, async ct =>
        {
            // Not through the library's types: they would drop what they do not know.
            using var body = new StringContent(specification.GetRawText(), Encoding.UTF8, "application/json");
            using var answer = await transport.Raw.PostAsync(new Uri($"containers/create?name={Uri.EscapeDataString(name)}", UriKind.Relative), body, ct);
            var text = await answer.Content.ReadAsStringAsync(ct);
            if (!answer.IsSuccessStatusCode)
            {
                throw DockerProblems.OfAnswer(answer.StatusCode, text, target, doing);
            }

            using var json = JsonDocument.Parse(text);
            return json.RootElement.GetProperty("Id").GetString()!;
        }, cancellationToken);
    }

    public Task<(string Output, string Error)> Logs(string name, int? lastLines, TimeSpan limit, CancellationToken cancellationToken) => For($"reading the log of container {name}", limit, async (docker, ct) =>
    {
        var what = new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Tail = lastLines?.ToString(null as IFormatProvider) ?? "all" };
        using var stream = await docker.Containers.GetContainerLogsAsync(name, what, ct);
        var (output, error) = await stream.ReadOutputToEndAsync(ct);
        return (output, error);
    }, cancellationToken);

    private async Task<T> Within<T>(string doing, TimeSpan limit, Func<CancellationToken, Task<T>> question, CancellationToken cancellationToken)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timer.CancelAfter(limit);
        try
        {
            return await question(timer.Token);
        }
        catch (Exception) when (timer.IsCancellationRequested)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new HostUnavailableException(HostProblem.DockerNotRunning,
                $"The Docker engine on {target} gave no answer within {limit.TotalSeconds:0} s while {doing}. Look at `systemctl status docker` and the load there; it is safe to try again.");
        }
        catch (Exception failure) when (failure is not OperationCanceledException && DockerProblems.Of(failure, target, doing) is var known && known != failure)
        {
            throw known;
        }
    }
}
