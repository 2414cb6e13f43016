using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Repositories">For example <c>managed-servers/knot</c>; all versions of each.</param>
public sealed record RemoveImagesInput(Guid ServerId, IReadOnlyList<string> Repositories);

/// <summary>None of the images that were brought to the host, unless somebody else's container uses one.</summary>
public sealed class RemoveImages(Servers.Servers servers) : Step<RemoveImages, RemoveImagesInput, Nothing>, IPreviewable<RemoveImagesInput, Nothing>
{
    public override async Task<Nothing> Run(RemoveImagesInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        List<string> removed = [];
        foreach (var repository in input.Repositories)
        {
            foreach (var image in (await host.Docker.FindImages(repository, step.Cancellation)).SelectMany(i => i.Tags))
            {
                try
                {
                    await host.Docker.RemoveImage(image, step.Cancellation);
                    removed.Add(image);
                }
                catch (HostRejectedException refusal) when (refusal.Code == HostProblem.DockerRefused)
                {
                    step.Log($"{image} stays: {refusal.Message}", LogLevel.Warning);
                }
            }
        }

        if (removed.Count > 0)
        {
            step.Changed($"removed {string.Join(" and ", removed)}");
        }
        else
        {
            step.Unchanged("there are none");
        }

        return Nothing.Value;
    }

    public async Task<Preview<Nothing>> Preview(RemoveImagesInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        List<PlannedChange> changes = [];
        foreach (var repository in input.Repositories)
        {
            changes.AddRange((await host.Docker.FindImages(repository, cancellationToken)).SelectMany(i => i.Tags).Select(t => new PlannedChange(ChangeKind.Remove, "image", t)));
        }

        return Preview<Nothing>.Of(Nothing.Value, changes);
    }
}
