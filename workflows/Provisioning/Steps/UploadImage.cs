using System.Globalization;
using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record ImageInput(Guid ServerId, CatalogueImage Image);

/// <param name="Id">The host's own id of the image, to be compared with itself only.</param>
public sealed record LoadedImage(string Id, bool Loaded);

/// <summary>Sends an image to the host's Docker, unless it has these contents already.</summary>
public sealed class UploadImage(Servers.Servers servers, ImageCatalogue images) : Step<UploadImage, ImageInput, LoadedImage>, IUndoable<ImageInput, LoadedImage>
{
    public override async Task<LoadedImage> Run(ImageInput input, StepContext step)
    {
        var image = input.Image;
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        if (await host.Docker.FindImage(image.Image, step.Cancellation) is { } found)
        {
            step.Unchanged($"{image.Image} is on the host already");
            return new LoadedImage(found.Id, Loaded: false);
        }

        await using var archive = images.Open(image);
        await host.Docker.LoadImage(archive, sent => step.Progress((double)sent / image.Size, $"{Megabytes(sent)} of {Megabytes(image.Size)} MB"), step.Cancellation);
        var loaded = await host.Docker.FindImage(image.Image, step.Cancellation)
            ?? throw new InvalidOperationException($"Docker on {host.Target} took the archive of {image.Image} but does not show the image. Look at its log and try again.");
        step.Changed($"loaded {image.Image}, {Megabytes(image.Size)} MB");
        return new LoadedImage(loaded.Id, Loaded: true);
    }

    public async Task Undo(ImageInput input, LoadedImage? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var inUse = await host.Docker.FindContainers("managed-servers.image", input.Image.Digest, step.Cancellation);
        if (made is { Loaded: false } || inUse.Count > 0)
        {
            step.Unchanged("the image stays: it was there before, or is in use");
            return;
        }

        if (await host.Docker.RemoveImage(input.Image.Image, step.Cancellation))
        {
            step.Changed($"removed {input.Image.Image}");
        }
    }

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture);
}
