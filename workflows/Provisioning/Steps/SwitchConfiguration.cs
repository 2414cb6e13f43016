using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record SwitchInput(Guid ServerId, string Digest);

/// <param name="Previous">The configuration that was current before; null when there was none.</param>
public sealed record SwitchedConfiguration(bool Changed, string? Previous);

/// <summary>Makes a staged configuration the current one, by one rename of a link.</summary>
public sealed class SwitchConfiguration(Servers.Servers servers) : Step<SwitchConfiguration, SwitchInput, SwitchedConfiguration>, IUndoable<SwitchInput, SwitchedConfiguration>
{
    private const string Current = HostLayout.DnsConfig + "/current";
    private const string Remembered = HostLayout.DnsConfig + "/.previous-";

    public override async Task<SwitchedConfiguration> Run(SwitchInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var now = await Read(host, Current, step);

        // What was current before this step's first attempt, written down before the switch: a second attempt must not take its own work for the previous state.
        var note = Remembered + step.IdempotencyKey;
        var previous = await Read(host, note, step);
        if (previous is null)
        {
            if (now == input.Digest)
            {
                step.Unchanged("this configuration is the current one already");
                return new SwitchedConfiguration(false, now);
            }

            previous = now ?? "none";
            await Link(host, note, previous, step);
        }

        await Link(host, HostLayout.DnsConfig + "/knot.conf", "current/knot.conf", step);
        await Link(host, HostLayout.DnsConfig + "/zones", "current/zones", step);
        await Link(host, Current, input.Digest, step);
        step.Changed(previous == "none" ? "first configuration" : $"configuration {input.Digest} in place of {previous}");
        return new SwitchedConfiguration(true, previous == "none" ? null : previous);
    }

    public async Task Undo(SwitchInput input, SwitchedConfiguration? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var note = Remembered + step.IdempotencyKey;
        switch (await Read(host, note, step))
        {
            case null:
                return;
            case "none":
                foreach (var link in new[] { Current, HostLayout.DnsConfig + "/knot.conf", HostLayout.DnsConfig + "/zones" })
                {
                    await host.Remove(link, step.Cancellation);
                }

                break;
            case { } previous:
                await Link(host, Current, previous, step);
                await KnotControl.ReloadIfRunning(host, step.Cancellation);
                step.Changed($"configuration {previous} is the current one again");
                break;
        }

        await host.Remove(note, step.Cancellation);
    }

    /// <summary>Removes configurations and notes that no undo needs any more: a host that is configured every day would keep them all.</summary>
    internal static async Task Settle(IHost host, IReadOnlyList<string> keep, StepContext step)
    {
        var found = await host.Run(["ls", "-A1", "--", HostLayout.DnsConfig], cancellationToken: step.Cancellation);
        foreach (var name in found.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(n => n is not ("current" or "knot.conf" or "zones") && !keep.Contains(n)))
        {
            await host.Remove($"{HostLayout.DnsConfig}/{name}", step.Cancellation);
        }
    }

    private static async Task<string?> Read(IHost host, string link, StepContext step)
    {
        var result = await host.Run(["readlink", "--", link], cancellationToken: step.Cancellation);
        return result.Succeeded ? result.Stdout.Trim() : null;
    }

    private static async Task Link(IHost host, string link, string target, StepContext step)
    {
        (await host.Run(["ln", "-sfn", "--", target, link + ".new"], cancellationToken: step.Cancellation)).Check();
        (await host.Run(["mv", "-T", "--", link + ".new", link], cancellationToken: step.Cancellation)).Check();
    }
}
