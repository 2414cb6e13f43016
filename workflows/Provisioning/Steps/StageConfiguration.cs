using System.Formats.Tar;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record StageInput(Guid ServerId, string Component, Guid ConfigurationId);

/// <param name="Digest">Of all files: the folder's name.</param>
/// <param name="Made">It was not on the host before.</param>
public sealed record StagedConfiguration(string Folder, string Digest, bool Made);

/// <summary>Writes a configuration into a folder of its own on the host, named by its contents. Nothing that serves sees it yet.</summary>
public sealed class StageConfiguration(Servers.Servers servers, Configurations configurations)
    : Step<StageConfiguration, StageInput, StagedConfiguration>, IUndoable<StageInput, StagedConfiguration>
{
    public override async Task<StagedConfiguration> Run(StageInput input, StepContext step)
    {
        var configuration = await configurations.Get(input.ConfigurationId, step.Cancellation);
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var (files, digest) = configuration.For(await host.Facts([], step.Cancellation));
        var folder = $"{HostLayout.Config(input.Component)}/{digest}";
        if ((await host.Run(["test", "-d", folder], cancellationToken: step.Cancellation)).Succeeded)
        {
            step.Unchanged("the host has this configuration already");
            return new StagedConfiguration(folder, digest, Made: false);
        }

        // Aside and renamed: a folder with the final name is whole.
        var aside = $"{HostLayout.Config(input.Component)}/.{digest}-{step.IdempotencyKey}";
        await host.Remove(aside, step.Cancellation);
        await host.EnsureFolder(aside, HostLayout.PrivateFolder, step.Cancellation);
        try
        {
            using var tar = await Tar(files, step.Cancellation);
            (await host.Run(["tar", "-x", "--no-same-owner", "-C", aside], new CommandOptions { Stdin = tar }, step.Cancellation)).Check();
            (await host.Run(["sync", "-f", aside], cancellationToken: step.Cancellation)).Check();
            (await host.Run(["mv", "-T", "--", aside, folder], cancellationToken: step.Cancellation)).Check();
        }
        catch
        {
            using var grace = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await host.Remove(aside, grace.Token);
            throw;
        }

        step.Changed($"wrote {configuration.Contents}");
        return new StagedConfiguration(folder, digest, Made: true);
    }

    public async Task Undo(StageInput input, StagedConfiguration? made, StepContext step)
    {
        if (made is { Made: true })
        {
            await using var host = await servers.Connect(input.ServerId, step.Cancellation);
            if (await CurrentConfiguration.Read(host, input.Component, step.Cancellation) != made.Digest)
            {
                await host.Remove(made.Folder, step.Cancellation);
            }
        }
    }

    private static async Task<MemoryStream> Tar(SortedDictionary<string, byte[]> files, CancellationToken cancellationToken)
    {
        var stream = new MemoryStream();
        await using (var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var folder in files.Keys.Where(f => f.Contains('/')).Select(f => f[..(f.LastIndexOf('/') + 1)]).Distinct())
            {
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, folder) { Mode = HostLayout.PrivateFolder }, cancellationToken);
            }

            foreach (var (name, content) in files)
            {
                await tar.WriteEntryAsync(
                    new PaxTarEntry(TarEntryType.RegularFile, name) { Mode = HostLayout.PrivateFile, DataStream = new MemoryStream(content) }, cancellationToken);
            }
        }

        stream.Position = 0;
        return stream;
    }
}
