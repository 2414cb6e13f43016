using System.Text;
using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Pull;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record AgentInput(Guid ServerId, Uri ApiAddress, StatisticsWay Statistics = StatisticsWay.Https);

/// <param name="Supervision">What brings it back: systemd, cron, rc.local or none.</param>
public sealed record InstalledAgent(bool Changed, bool First, string Supervision, DateTimeOffset InstalledAt);

/// <summary>The heartbeat agent, as a service that needs Python 3 only.</summary>
public sealed class InstallAgent(Servers.Servers servers, PayloadFiles payload, PulledServers pulled, TimeProvider time)
    : Step<InstallAgent, AgentInput, InstalledAgent>, IUndoable<AgentInput, InstalledAgent>, IPreviewable<AgentInput, InstalledAgent>
{
    public override async Task<InstalledAgent> Run(AgentInput input, StepContext step)
    {
        var token = step.Cancellation;
        var startedAt = time.GetUtcNow();
        await using var host = await servers.Connect(input.ServerId, token);
        var layout = HostLayout.Of(host);
        var first = !(await host.Run(["test", "-e", layout.AgentScript], cancellationToken: token)).Succeeded || (await host.Run(["test", "-e", FirstMark(layout)], cancellationToken: token)).Succeeded;
        if (input.Statistics == StatisticsWay.Pull)
        {
            await pulled.Begin(input.ServerId, token);
        }

        // The mark before all others: where it is missing, the agent was there before.
        await host.WriteFiles(
        [
            .. first ? [new HostFile(FirstMark(layout), Encoding.UTF8.GetBytes(step.IdempotencyKey), HostLayout.PrivateFile)] : Array.Empty<HostFile>(),
            .. await Files(layout, input, token),
        ], token);
        var answer = await Install(host, token);
        var supervision = answer.Supervision == "none" ? "nothing on this host can start it again after a reboot" : $"kept by {answer.Supervision}";
        if (answer.Changed)
        {
            step.Changed($"agent runs; {supervision}");
        }
        else
        {
            step.Unchanged($"agent runs already; {supervision}");
        }

        return new InstalledAgent(answer.Changed, first, answer.Supervision, startedAt);
    }

    public async Task<Preview<InstalledAgent>> Preview(AgentInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var layout = HostLayout.Of(host);
        var first = await host.ReadFile(layout.AgentScript, cancellationToken: cancellationToken) is null;
        List<string> other = [];
        foreach (var file in await Files(layout, input, cancellationToken))
        {
            if (await host.ReadFile(file.Path, cancellationToken: cancellationToken) is not { } there || !there.AsSpan().SequenceEqual(file.Content.Span))
            {
                other.Add(Path.GetFileName(file.Path));
            }
        }

        var result = new InstalledAgent(other.Count > 0, first, "", time.GetUtcNow());
        return other.Count == 0 ? Preview<InstalledAgent>.Nothing(result)
            : Preview<InstalledAgent>.Of(result, new PlannedChange(first ? ChangeKind.Add : ChangeKind.Change, "agent", layout.Agent, first ? "with a service that keeps it running" : $"other {string.Join(" and ", other)}; it is restarted"));
    }

    private async Task<IReadOnlyList<HostFile>> Files(HostLayout layout, AgentInput input, CancellationToken cancellationToken) =>
    [
        new HostFile($"{layout.Agent}/ca.pem", Encoding.UTF8.GetBytes(payload.AuthorityPem), HostLayout.PrivateFile),
        new HostFile(layout.AgentConfiguration, await payload.AgentConfiguration(layout, input.ServerId, input.ApiAddress, input.Statistics, cancellationToken), HostLayout.PrivateFile),
        new HostFile(layout.AgentScript, PayloadFiles.AgentScript, HostLayout.PrivateFile),
    ];

    public async Task Undo(AgentInput input, InstalledAgent? made, StepContext step)
    {
        var token = step.Cancellation;
        await using var host = await servers.Connect(input.ServerId, token);
        var layout = HostLayout.Of(host);
        var before = (await servers.Get(input.ServerId.ToString(), token)).Statistics;
        if (before != StatisticsWay.Pull)
        {
            await pulled.End(input.ServerId, token);
        }

        var mark = await host.ReadFile(FirstMark(layout), cancellationToken: token);
        if (mark is null || Encoding.UTF8.GetString(mark) != step.IdempotencyKey)
        {
            step.Unchanged("the agent was here before this run and stays");
            await SendAsBefore(host, input, before, step);
            return;
        }

        if (await host.ReadFile(layout.AgentScript, cancellationToken: token) is not null)
        {
            (await host.Run(["python3", layout.AgentScript, "uninstall"], cancellationToken: token)).Check();
        }

        await host.Remove(layout.Agent, token);
        step.Changed("removed the agent");
    }

    /// <summary>Where the run was to change how what is measured comes to the product, it comes as it did.</summary>
    private async Task SendAsBefore(IHost host, AgentInput input, StatisticsWay before, StepContext step)
    {
        if (before != input.Statistics && (await host.WriteFiles(await Files(HostLayout.Of(host), input with { Statistics = before }, step.Cancellation), step.Cancellation)).Contains(true))
        {
            await Install(host, step.Cancellation);
            step.Changed("the agent was here before this run and stays, with its settings of before");
        }
    }

    private static async Task<Answer> Install(IHost host, CancellationToken cancellationToken)
    {
        var said = (await host.Run(["python3", HostLayout.Of(host).AgentScript, "install"], cancellationToken: cancellationToken)).Check();
        return JsonSerializer.Deserialize<Answer>(said.Stdout, EngineJson.Options) ?? throw new InvalidOperationException($"{said.What} did not say how it went: {said.Stdout}");
    }

    /// <summary>Whom the agent with this configuration reports for, and to which product; null for what cannot be read.</summary>
    internal static (string? ServerId, string? Api) OwnerIn(byte[] configuration)
    {
        try
        {
            var owner = JsonSerializer.Deserialize<Owner>(configuration, EngineJson.Options);
            return (owner?.ServerId, owner?.Api);
        }
        catch (JsonException)
        {
            return (null, null);
        }
    }

    internal static Task Settle(IHost host, CancellationToken cancellationToken) => host.Remove(FirstMark(HostLayout.Of(host)), cancellationToken);

    // There from the first attempt of a first install until it is proven: tells an undo that no agent was here before.
    private static string FirstMark(HostLayout layout) => $"{layout.Agent}/.first-install";

    private sealed record Owner(string? ServerId, string? Api);

    private sealed record Answer(bool Changed, string Supervision, int? Pid);
}
