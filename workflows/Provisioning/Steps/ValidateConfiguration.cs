using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Zones">Of DNS.</param>
public sealed record ValidateInput(Guid ServerId, CatalogueImage Image, string Folder, IReadOnlyList<string> Zones);

/// <summary>Lets the very program that will serve it read a configuration, in a container that is thrown away. Changes nothing.</summary>
public sealed class ValidateConfiguration(Servers.Servers servers) : Step<ValidateConfiguration, ValidateInput, Nothing>, IUndoable<ValidateInput, Nothing>
{
    private const string KeasError = "Error encountered:";

    public override async Task<Nothing> Run(ValidateInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        await (input.Image.Component == Component.Dhcp ? Kea(host, input, step) : Knot(host, input, step));
        return Nothing.Value;
    }

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
            throw new StepRejectedException($"Kea on {host.Target} refuses the configuration: {said.TrimEnd('.')}. Correct it (dhcp) and try again; nothing that serves was changed.");
        }
    }

    private static async Task Knot(IHost host, ValidateInput input, StepContext step)
    {
        var configuration = await Ask(host, step, input, ["/usr/sbin/knotc", "-c", "/etc/knot/knot.conf", "conf-check"]);
        if (!configuration.Succeeded)
        {
            throw new StepRejectedException($"Knot on {host.Target} refuses its configuration: {Said(configuration)}. Nothing that serves was changed.");
        }

        foreach (var (index, zone) in input.Zones.Index())
        {
            var file = $"{KnotConfiguration.ZoneFolder}/{KnotConfiguration.ZoneFile(ZoneName.Parse(zone))}";
            var result = await Ask(host, step, input, ["/usr/bin/kzonecheck", "-v", "-o", ZoneName.Parse(zone).Absolute, file]);
            if (!result.Succeeded)
            {
                throw new StepRejectedException(
                    $"The file of zone {zone} (zones[{index}].file) has an error: {Said(result)}. Correct it and install again; nothing that serves was changed.");
            }

            step.Progress((index + 1.0) / input.Zones.Count, $"{index + 1} of {input.Zones.Count} zones");
        }
    }

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
        new ThrowAway { Owner = step.IdempotencyKey, Image = input.Image.Image, Argv = argv, Binds = [$"{input.Folder}:/etc/knot:ro"] }, step.Cancellation);

    private static string Said(CommandResult result)
    {
        var said = string.Join("; ", (result.Stderr + "\n" + result.Stdout).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Take(10));
        return said.Length > 0 ? said.TrimEnd('.') : $"exit code {result.ExitCode}, without a word";
    }
}
