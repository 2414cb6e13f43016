using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record ValidateInput(Guid ServerId, CatalogueImage Image, string Folder, Guid ConfigurationId);

/// <summary>
/// Lets the very program that will serve it read a configuration, in a container that is thrown away. Changes nothing. A few small zones beside ones that are served
/// already are read in the container that serves, if it is of the very image: the same program on the same read-only folder, half a second sooner. More than that could
/// take the memory that it serves with.
/// </summary>
public sealed class ValidateConfiguration(Servers.Servers servers, Configurations configurations) : Step<ValidateConfiguration, ValidateInput, Nothing>, IUndoable<ValidateInput, Nothing>, IPreviewable<ValidateInput, Nothing>
{
    private const string KeasError = "Error encountered:";
    private const int MostWarnings = 20;
    private const int MostInPlace = 4;
    private const int LargestInPlace = 1 << 20;

    // The container and its image, then pairs of a zone and its file. Says "other" when the container does not run or is of another image.
    private const string InPlace =
        """
        [ "$(docker inspect -f '{{.Config.Image}} {{.State.Status}}' "$1" 2>/dev/null)" = "$2 running" ] || { echo other; exit 0; }
        container=$1; shift 2
        while [ $# -gt 0 ]; do docker exec "$container" /usr/bin/kzonecheck -v -o "$1" "$2" || exit 1; shift 2; done
        echo checked
        """;

    public override async Task<Nothing> Run(ValidateInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        await (input.Image.Component == Component.Dhcp ? Kea(host, input, step) : Knot(host, input, step));
        return Nothing.Value;
    }

    public Task<Preview<Nothing>> Preview(ValidateInput input, CancellationToken cancellationToken) =>
        Task.FromResult(Preview<Nothing>.Nothing(Nothing.Value, "what the program says to the configuration is known only when the run asks it"));

    private static async Task Kea(IHost host, ValidateInput input, StepContext step)
    {
        // In the host's network, because Kea looks for the interfaces that it is told to serve.
        var result = await host.Docker.RunThrowAway(new ThrowAway
        {
            Owner = step.IdempotencyKey, Image = input.Image.Image, Argv = ["/usr/sbin/kea-dhcp4", "-t", $"/etc/kea/{KeaConfiguration.FileName}"],
            Binds = [$"{input.Folder}:/etc/kea:ro"], Network = "host",
        }, step.Cancellation);
        if (!result.Succeeded)
        {
            var said = result.Stderr.Split('\n').FirstOrDefault(l => l.StartsWith(KeasError, StringComparison.Ordinal))?[KeasError.Length..].Trim() ?? Said(result);
            throw new StepRejectedException($"Kea on {host.Target} refuses the configuration: {said.TrimEnd('.')}. Nothing that serves was changed. Correct it (dhcp) and ask for the corrected one: this run, tried again, has the same.");
        }
    }

    private async Task Knot(IHost host, ValidateInput input, StepContext step)
    {
        var wanted = await configurations.Get(input.ConfigurationId, step.Cancellation);
        var files = await wanted.FilesFor(host, step.Cancellation);
        if (await configurations.Current(input.ServerId, Component.Dns, step.Cancellation) is { } current)
        {
            var changed = ComponentConfiguration.Differing(files, await current.Configuration.FilesFor(host, step.Cancellation));
            if (!changed.Contains(KnotConfiguration.FileName) && !changed.Contains(KnotConfiguration.KeyFile) && changed.Count <= MostInPlace && changed.Sum(f => files[f].Length) <= LargestInPlace && await KnotInPlace(host, input, wanted.Dns!, changed, step))
            {
                return;
            }
        }

        var result = await Ask(host, step, input, KnotConfiguration.Check(wanted.Dns!));
        if (!result.Succeeded)
        {
            throw Refused(host, result, wanted.Dns!);
        }

        Warn(result, step);
    }

    /// <returns>False when there is no container of this image that could be asked, or it does not find them all well.</returns>
    private static async Task<bool> KnotInPlace(IHost host, ValidateInput input, DnsConfiguration dns, IReadOnlyList<string> changed, StepContext step)
    {
        var folder = $"/etc/knot/{Path.GetFileName(input.Folder)}";
        var zones = dns.Zones.Select(z => ZoneName.Parse(z.Name)).Where(z => changed.Contains($"zones/{KnotConfiguration.ZoneFile(z)}"));
        var result = await host.Run(["sh", "-c", InPlace, "sh", Component.ContainerName(Component.Dns), input.Image.Image,
            .. zones.SelectMany(z => new[] { z.Absolute, $"{folder}/zones/{KnotConfiguration.ZoneFile(z)}" })], cancellationToken: step.Cancellation);
        // Whatever else it says, a container of its own is to tell: kzonecheck is stricter than the server, and it may be Docker's own trouble.
        return result.Succeeded && (result.Stdout + result.Stderr).Trim() == "checked";
    }

    /// <summary>What Knot serves all the same, but does not like.</summary>
    private static void Warn(CommandResult result, StepContext step)
    {
        var warnings = Lines(result).Where(l => l.Contains("warning: [", StringComparison.OrdinalIgnoreCase)).ToList();
        foreach (var warning in warnings.Take(MostWarnings))
        {
            step.Log($"Knot {warning}", LogLevel.Warning);
        }

        if (warnings.Count > MostWarnings)
        {
            step.Log($"Knot has {warnings.Count - MostWarnings} more warnings about the zones.", LogLevel.Warning);
        }
    }

    private static StepRejectedException Refused(IHost host, CommandResult result, DnsConfiguration dns)
    {
        var said = Said(result);
        return new StepRejectedException(BadZone(result, dns) is var (index, name)
            ? $"The file of zone {name} (zones[{index}].file) has an error: {said}. Nothing that serves was changed. Correct it and ask for the corrected one: this run, tried again, has the same."
            : $"Knot on {host.Target} refuses its configuration: {said}. Nothing that serves was changed. This run, tried again, has the same: ask for another one.");
    }

    /// <summary>The first zone about which Knot says something: it begins with the zone's name then.</summary>
    private static (int Index, string Name)? BadZone(CommandResult result, DnsConfiguration dns) => dns.Zones.Index()
        .Where(z => (result.Stderr + result.Stdout).Contains($"error: [{ZoneName.Parse(z.Item.Name).Absolute}]", StringComparison.Ordinal))
        .Select(z => ((int, string)?)(z.Index, z.Item.Name!)).FirstOrDefault();

    /// <summary>Takes away the container of a check that was killed half-way.</summary>
    public async Task Undo(ValidateInput input, Nothing? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        if (await host.Docker.RemoveThrowAway(step.IdempotencyKey, step.Cancellation))
        {
            step.Changed("removed the container of an interrupted check");
        }
    }

    private static Task<CommandResult> Ask(IHost host, StepContext step, ValidateInput input, string[] argv) => host.Docker.RunThrowAway(
        new ThrowAway { Owner = step.IdempotencyKey, Image = input.Image.Image, Argv = argv, Binds = [$"{input.Folder}:/etc/knot:ro"], Timeout = TimeSpan.FromMinutes(5) }, step.Cancellation);

    // The folder of Knot's databases is not there in a container that is thrown away.
    private static IEnumerable<string> Lines(CommandResult result) => (result.Stderr + "\n" + result.Stdout).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Where(l => !l.Contains("database storage", StringComparison.Ordinal));

    private static string Said(CommandResult result)
    {
        var said = string.Join("; ", Lines(result).Take(10));
        return said.Length > 0 ? said.TrimEnd('.') : $"exit code {result.ExitCode}, without a word";
    }
}
