using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>Removes folders in which containers have worked.</summary>
internal static class Leftovers
{
    /// <summary>Where the login is not root, what a container's root has made there is removed by a container too. False when there was nothing.</summary>
    public static async Task<bool> Remove(IHost host, ImageCatalogue images, string folder, StepContext step)
    {
        try
        {
            return await host.Remove(folder, step.Cancellation);
        }
        catch (HostRejectedException refusal) when (refusal.Code == HostProblem.PermissionDenied && host.Target.Login.Kind == LoginKind.Docker)
        {
            var image = await AnyImage(host, images, step.Cancellation) ?? throw new HostRejectedException(refusal.Code,
                $"{refusal.Message} It was made by a container, and no image of the product is left on the host with which it could be removed. As root there: rm -rf {folder}", refusal);
            var at = folder.LastIndexOf('/');
            (await host.Docker.RunThrowAway(new ThrowAway
            {
                Owner = step.IdempotencyKey, Image = image, Argv = ["/usr/bin/rm", "-rf", "--", $"/folder{folder[at..]}"], Binds = [$"{folder[..at]}:/folder"],
            }, step.Cancellation)).Check();
            return true;
        }
    }

    private static async Task<string?> AnyImage(IHost host, ImageCatalogue images, CancellationToken cancellationToken)
    {
        foreach (var image in Component.Serving.Select(images.Find).OfType<CatalogueImage>())
        {
            if ((await host.Docker.FindImages(image.Repository, cancellationToken)).SelectMany(i => i.Tags).FirstOrDefault() is { } found)
            {
                return found;
            }
        }

        return null;
    }
}
