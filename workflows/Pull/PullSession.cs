using System.Reflection;
using System.Text;
using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Pull;

/// <summary>A program on a host that puts questions to its agent and its monitor, over an SSH connection that is kept: a question and its answer are one round trip.</summary>
internal sealed class PullSession : IAsyncDisposable
{
    private static readonly string Relay = Text("Payload.pull.relay.py");
    private readonly IHost host;
    private readonly LineSession lines;

    private PullSession(IHost host, LineSession lines, string version) => (this.host, this.lines, Version) = (host, lines, version);

    /// <summary>As <see cref="PulledServer.Version"/> when it was made.</summary>
    public string Version { get; }

    public long UsedAt { get; set; }

    /// <summary>The last question was answered as it should be: the next one can be asked.</summary>
    public bool InStep { get; private set; } = true;

    /// <summary>What is committed and not acknowledged yet: the next question does it. Should there be none, the host gives it again, and it is recognised.</summary>
    public Acknowledgement? AgentAcked { get; set; }

    /// <inheritdoc cref="AgentAcked" />
    public Acknowledgement? MonitorAcked { get; set; }

    /// <summary>Bytes that nobody has asked for.</summary>
    public long Unasked => lines.Unasked;

    /// <param name="host">Given back with the session.</param>
    public static async Task<PullSession> Open(IHost host, PulledServer server, CancellationToken cancellationToken)
    {
        try
        {
            var layout = HostLayout.Of(host);
            return new PullSession(host, await host.Converse(["python3", "-I", "-c", Relay, layout.Agent, layout.Monitor], cancellationToken), server.Version);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks each for whom there is a question.</summary>
    /// <exception cref="PullRefusedException">The answer is none.</exception>
    public async Task<PullAnswer> Ask(SenderQuestion? agent, SenderQuestion? monitor, TimeSpan patience, CancellationToken cancellationToken)
    {
        Dictionary<string, SenderQuestion> questions = [];
        if (agent is not null)
        {
            questions["agent"] = agent;
        }

        if (monitor is not null)
        {
            questions["monitor"] = monitor;
        }

        InStep = false;
        var answer = PullAnswer.Parse((await lines.Ask(JsonSerializer.SerializeToUtf8Bytes(questions, EngineJson.Options), PullAnswer.Longest, patience, cancellationToken)).Span);
        InStep = true;
        return answer;
    }

    public async ValueTask DisposeAsync()
    {
        await lines.DisposeAsync();
        await host.DisposeAsync();
    }

    private static string Text(string ending)
    {
        var assembly = Assembly.GetExecutingAssembly();
        using var stream = assembly.GetManifestResourceStream(assembly.GetManifestResourceNames().Single(n => n.EndsWith(ending, StringComparison.Ordinal)))!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
