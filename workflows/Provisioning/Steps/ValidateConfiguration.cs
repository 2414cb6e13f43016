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
        var wanted = await configurations.Get(input.ConfigurationId, step.Cancellation);
        if (await IsTakenInPlace(host, input, wanted, step.Cancellation))
        {
            return Nothing.Value;
        }

        var check = ConfigurationCheck.Of(wanted, input.Image, step.IdempotencyKey) with { Binds = [$"{input.Folder}:{ConfigurationCheck.Folder(wanted)}:ro"] };
        var result = await host.Docker.RunThrowAway(check, step.Cancellation);
        if (ConfigurationCheck.Refusal(result, wanted, host.Target) is { } refusal)
        {
            throw new StepRejectedException($"{refusal} Nothing that serves was changed. Correct it and ask for the corrected one: this run, tried again, has the same.");
        }

        foreach (var warning in ConfigurationCheck.Warnings(result))
        {
            step.Log(warning, LogLevel.Warning);
        }

        return Nothing.Value;
    }

    /// <summary>The same, with files that only the container has: nothing is written aside for a plan.</summary>
    public async Task<Preview<Nothing>> Preview(ValidateInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        if (await host.Docker.FindImage(input.Image.Image, cancellationToken) is null)
        {
            return Preview<Nothing>.Nothing(Nothing.Value, $"not tried for the plan, because the host does not have {input.Image.Image} yet; this step of the run tells, before anything that serves is changed");
        }

        var wanted = await configurations.Get(input.ConfigurationId, cancellationToken);
        var files = new GivenFiles(ConfigurationCheck.Folder(wanted), await ConfigurationCheck.WithoutSecrets(wanted).FilesFor(host, cancellationToken));
        var result = await host.Docker.RunThrowAway(ConfigurationCheck.Of(wanted, input.Image, $"plan-{Guid.NewGuid():N}") with { Files = files }, cancellationToken);
        return ConfigurationCheck.Refusal(result, wanted, host.Target) is { } refusal ? throw new StepRejectedException($"{refusal} Correct it and ask for the corrected one.")
            : Preview<Nothing>.Nothing(Nothing.Value, string.Join("; ", ConfigurationCheck.Warnings(result).Prepend("tried for the plan, and taken")));
    }

    /// <returns>False when there is no container of this image that could be asked, it is too much for one that serves, or it does not find all well.</returns>
    private async Task<bool> IsTakenInPlace(IHost host, ValidateInput input, ComponentConfiguration wanted, CancellationToken cancellationToken)
    {
        if (wanted.Dns is not { } dns || await configurations.Current(input.ServerId, Component.Dns, cancellationToken) is not { } current)
        {
            return false;
        }

        var files = await wanted.FilesFor(host, cancellationToken);
        var changed = ComponentConfiguration.Differing(files, await current.Configuration.FilesFor(host, cancellationToken));
        if (changed.Contains(KnotConfiguration.FileName) || changed.Contains(KnotConfiguration.KeyFile) || changed.Count > MostInPlace || changed.Sum(f => files[f].Length) > LargestInPlace)
        {
            return false;
        }

        var folder = $"/etc/knot/{Path.GetFileName(input.Folder)}";
        var zones = dns.Zones.Select(z => ZoneName.Parse(z.Name)).Where(z => changed.Contains($"zones/{KnotConfiguration.ZoneFile(z)}"));
        var result = await host.Run(["sh", "-c", InPlace, "sh", Component.ContainerName(Component.Dns), input.Image.Image,
            .. zones.SelectMany(z => new[] { z.Absolute, $"{folder}/zones/{KnotConfiguration.ZoneFile(z)}" })], cancellationToken: cancellationToken);
        // Whatever else it says, a container of its own is to tell: kzonecheck is stricter than the server, and it may be Docker's own trouble.
        return result.Succeeded && (result.Stdout + result.Stderr).Trim() == "checked";
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
}
