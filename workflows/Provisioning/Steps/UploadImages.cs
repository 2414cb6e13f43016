using System.Globalization;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Found">Those that the host had before the run; null where it does not matter whose they are, because they stay.</param>
public sealed record ImagesInput(Guid ServerId, IReadOnlyList<CatalogueImage> Images, IReadOnlyList<string>? Found = null);

/// <param name="Loaded">Those that the host did not have before.</param>
public sealed record LoadedImages(IReadOnlyList<string> Loaded);

/// <summary>Sends images to the host's Docker, all at once, apart from those that it has with these contents already.</summary>
public sealed class UploadImages(Servers.Servers servers, ImageCatalogue images) : Step<UploadImages, ImagesInput, LoadedImages>, IUndoable<ImagesInput, LoadedImages>, IPreviewable<ImagesInput, LoadedImages>
{
    public override async Task<LoadedImages> Run(ImagesInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var missing = await Missing(host, input.Images, step.Cancellation);
        var sent = new Sent(step, missing.Sum(i => i.Size));
        await Parallel.ForEachAsync(missing, step.Cancellation, async (image, token) => await Load(host, image, sent, token));

        // What an interrupted attempt has brought is there by now, and ours all the same.
        var loaded = input.Images.Where(image => missing.Contains(image) || input.Found?.Contains(image.Image) == false).ToList();
        if (loaded.Count == 0)
        {
            step.Unchanged("the host has these images already");
        }
        else
        {
            step.Changed($"loaded {string.Join(", ", loaded.Select(i => $"{i.Image} ({Megabytes(i.Size)} MB)"))}");
        }

        return new LoadedImages([.. loaded.Select(i => i.Image)]);
    }

    public async Task<Preview<LoadedImages>> Preview(ImagesInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var missing = await Missing(host, input.Images, cancellationToken);
        return Preview<LoadedImages>.Of(new LoadedImages([.. missing.Select(i => i.Image)]), [.. missing.Select(i => new PlannedChange(ChangeKind.Add, "image", i.Image, $"{Megabytes(i.Size)} MB are sent"))]);
    }

    public async Task Undo(ImagesInput input, LoadedImages? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        foreach (var image in input.Images)
        {
            var inUse = await host.Docker.FindContainers("managed-servers.image", image.Digest, step.Cancellation);
            if (inUse.Count == 0 && made?.Loaded.Contains(image.Image) != false && await host.Docker.RemoveImage(image.Image, step.Cancellation))
            {
                step.Changed($"removed {image.Image}");
            }
        }
    }

    /// <summary>Those that the host does not have.</summary>
    internal static async Task<List<CatalogueImage>> Missing(IHost host, IReadOnlyList<CatalogueImage> images, CancellationToken cancellationToken)
    {
        var there = await Task.WhenAll(images.Select(i => host.Docker.FindImage(i.Image, cancellationToken)));
        return [.. images.Where((_, n) => there[n] is null)];
    }

    private async Task Load(IHost host, CatalogueImage image, Sent sent, CancellationToken cancellationToken)
    {
        await using var archive = images.Open(image);
        await host.Docker.LoadImage(archive, sent.Of(image), cancellationToken);
        if (await host.Docker.FindImage(image.Image, cancellationToken) is null)
        {
            throw new InvalidOperationException($"Docker on {host.Target} took the archive of {image.Image} but does not show the image. Look at its log and try again.");
        }
    }

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>How much of all archives is on its way.</summary>
    private sealed class Sent(StepContext step, long total)
    {
        private long sent;

        public Action<long> Of(CatalogueImage image)
        {
            var before = 0L;
            return now =>
            {
                var all = Interlocked.Add(ref sent, now - before);
                before = now;
                step.Progress((double)all / total, $"{Megabytes(all)} of {Megabytes(total)} MB");
            };
        }
    }
}
