using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record LookAtHostInput(Guid ServerId, IReadOnlyList<CatalogueImage> Images, IReadOnlyList<string> Components);

/// <summary>Of what an install makes, what was there before it.</summary>
public sealed record FoundOnHost(IReadOnlyList<string> Images, IReadOnlyList<string> Folders);

/// <summary>Writes down what the host has before anything is changed: later, after an interruption, nobody could tell it from what the run itself has made. Changes nothing.</summary>
public sealed class LookAtHost(Servers.Servers servers) : Step<LookAtHost, LookAtHostInput, FoundOnHost>, IPreviewable<LookAtHostInput, FoundOnHost>
{
    public override Task<FoundOnHost> Run(LookAtHostInput input, StepContext step) => Look(input, step.Cancellation);

    public async Task<Preview<FoundOnHost>> Preview(LookAtHostInput input, CancellationToken cancellationToken) => Preview<FoundOnHost>.Nothing(await Look(input, cancellationToken));

    private async Task<FoundOnHost> Look(LookAtHostInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var folders = PrepareFolders.Present(host, HostLayout.Of(host).Folders(input.Components), cancellationToken);
        var missing = await UploadImages.Missing(host, input.Images, cancellationToken);
        return new FoundOnHost([.. input.Images.Except(missing).Select(i => i.Image)], [.. await folders]);
    }
}
