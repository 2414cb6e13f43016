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

    public async Task<string> Create(string name, JsonElement specification, TimeSpan limit, CancellationToken cancellationToken) =>
        (await AsItIs($"creating container {name}", HttpMethod.Post, $"containers/create?name={Uri.EscapeDataString(name)}", specification, limit, cancellationToken)).GetProperty("Id").GetString()!;

    public Task<JsonElement> Inspect(string name, TimeSpan limit, CancellationToken cancellationToken) =>
        AsItIs($"looking at container {name}", HttpMethod.Get, $"containers/{Uri.EscapeDataString(name)}/json", null, limit, cancellationToken);

    // Not through the library's types: they would drop what they do not know.
    private Task<JsonElement> AsItIs(string doing, HttpMethod method, string path, JsonElement? content, TimeSpan limit, CancellationToken cancellationToken) => Within(doing, limit, async ct =>
    {
        using var question = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        question.Content = content is { } body ? new StringContent(body.GetRawText(), Encoding.UTF8, "application/json") : null;
        using var answer = await transport.Raw.SendAsync(question, ct);
        var text = await answer.Content.ReadAsStringAsync(ct);
        if (!answer.IsSuccessStatusCode)
        {
            throw DockerProblems.OfAnswer(answer.StatusCode, text, target, doing);
        }

        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }, cancellationToken);

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
