using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record RemoveFoldersInput(Guid ServerId);

/// <summary>None of the product's folders, with what is in them: configuration, zones, spools.</summary>
public sealed class RemoveFolders(Servers.Servers servers, ImageCatalogue images) : Step<RemoveFolders, RemoveFoldersInput, Nothing>, IPreviewable<RemoveFoldersInput, Nothing>
{
    public override async Task<Nothing> Run(RemoveFoldersInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var (layout, login, changed) = (HostLayout.Of(host), host.Target.Login, false);
        foreach (var folder in layout.All)
        {
            changed |= await Leftovers.Remove(host, images, folder, step);
        }

        if (login.Kind == LoginKind.Sudo)
        {
            changed |= await host.Remove($"{login.OwnFolder}/commands", step.Cancellation);
            await host.Run(["rmdir", "--ignore-fail-on-non-empty", "--", login.OwnFolder], cancellationToken: step.Cancellation);
        }

        // What somebody else has put beside them stays, and the folder with it.
        await host.Run(["rmdir", "--ignore-fail-on-non-empty", "--", layout.Root], cancellationToken: step.Cancellation);
        var left = await host.Run(["ls", "-A", "--", layout.Root], cancellationToken: step.Cancellation);
        if (left.Succeeded)
        {
            step.Log($"{layout.Root} stays, because it holds what is not the product's: {string.Join(", ", left.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries))}", LogLevel.Warning);
        }

        if (changed)
        {
            step.Changed($"removed what was under {layout.Root}");
        }
        else
        {
            step.Unchanged("there are none");
        }

        return Nothing.Value;
    }

    public async Task<Preview<Nothing>> Preview(RemoveFoldersInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var all = HostLayout.Of(host).All;
        var there = await PrepareFolders.Present(host, all, cancellationToken);
        return Preview<Nothing>.Of(Nothing.Value, [.. all.Where(there.Contains).Select(f => new PlannedChange(ChangeKind.Remove, "folder", f, "with all that is in it"))]);
    }
}
