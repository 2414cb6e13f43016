using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Found">Those that the host had before the run.</param>
public sealed record FoldersInput(Guid ServerId, IReadOnlyList<string> Components, IReadOnlyList<string> Found);

public sealed record MadeFolders(IReadOnlyList<string> Made);

/// <summary>Makes the folders that components need on the host; an undo removes those that were not there before.</summary>
public sealed class PrepareFolders(Servers.Servers servers, ImageCatalogue images) : Step<PrepareFolders, FoldersInput, MadeFolders>, IUndoable<FoldersInput, MadeFolders>, IPreviewable<FoldersInput, MadeFolders>
{
    public override async Task<MadeFolders> Run(FoldersInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var layout = HostLayout.Of(host);
        var folders = layout.Folders(input.Components);
        var now = await host.EnsureFolders(folders, HostLayout.PrivateFolder, step.Cancellation);

        // What an interrupted attempt has made is there by now, and ours all the same.
        var made = folders.Where((folder, n) => now[n] || !input.Found.Contains(folder)).ToList();
        if (made.Count > 0)
        {
            step.Changed($"made {made.Count} folders under {layout.Root}");
        }
        else
        {
            step.Unchanged("all folders are there");
        }

        return new MadeFolders(made);
    }

    public async Task<Preview<MadeFolders>> Preview(FoldersInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var folders = HostLayout.Of(host).Folders(input.Components);
        List<string> missing = [.. folders.Except(await Present(host, folders, cancellationToken))];
        return Preview<MadeFolders>.Of(new MadeFolders(missing), [.. missing.Select(f => new PlannedChange(ChangeKind.Add, "folder", f))]);
    }

    /// <summary>Those of the paths that are there.</summary>
    internal static async Task<HashSet<string>> Present(IHost host, IReadOnlyList<string> paths, CancellationToken cancellationToken) =>
        [.. (await host.Run(["ls", "-d", "--", .. paths], cancellationToken: cancellationToken)).Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    public async Task Undo(FoldersInput input, MadeFolders? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        foreach (var folder in HostLayout.Of(host).Folders(input.Components).Reverse())
        {
            if (made?.Made.Contains(folder) == true)
            {
                await Leftovers.Remove(host, images, folder, step);
            }
            else
            {
                // Half-made: an empty folder holds nothing that anybody could miss; rmdir refuses any other.
                await host.Run(["rmdir", "--ignore-fail-on-non-empty", "--", folder], cancellationToken: step.Cancellation);
            }
        }
    }
}
