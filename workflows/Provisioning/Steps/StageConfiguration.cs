using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record StageInput(Guid ServerId, Guid ConfigurationId);

/// <param name="Digest">First 16 digits of the SHA-256 over all files: the folder's name.</param>
/// <param name="Made">It was not on the host before.</param>
public sealed record StagedConfiguration(string Folder, string Digest, bool Made);

/// <summary>Writes configuration and zones into a folder of their own on the host, named by their contents. Nothing that serves sees it yet.</summary>
public sealed class StageConfiguration(Servers.Servers servers, Configurations configurations)
    : Step<StageConfiguration, StageInput, StagedConfiguration>, IUndoable<StageInput, StagedConfiguration>
{
    public override async Task<StagedConfiguration> Run(StageInput input, StepContext step)
    {
        var files = Files(await configurations.Get(input.ConfigurationId, step.Cancellation));
        var digest = Digest(files);
        var folder = $"{HostLayout.DnsConfig}/{digest}";
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        if ((await host.Run(["test", "-d", folder], cancellationToken: step.Cancellation)).Succeeded)
        {
            step.Unchanged("the host has this configuration already");
            return new StagedConfiguration(folder, digest, Made: false);
        }

        // Aside and renamed: a folder with the final name is whole.
        var aside = $"{HostLayout.DnsConfig}/.{digest}-{step.IdempotencyKey}";
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

        step.Changed(files.Count == 2 ? "wrote 1 zone" : $"wrote {files.Count - 1} zones");
        return new StagedConfiguration(folder, digest, Made: true);
    }

    public async Task Undo(StageInput input, StagedConfiguration? made, StepContext step)
    {
        if (made is { Made: true })
        {
            await using var host = await servers.Connect(input.ServerId, step.Cancellation);
            var current = await host.Run(["readlink", $"{HostLayout.DnsConfig}/current"], cancellationToken: step.Cancellation);
            if (current.Stdout.Trim() != made.Digest)
            {
                await host.Remove(made.Folder, step.Cancellation);
            }
        }
    }

    private static SortedDictionary<string, byte[]> Files(DnsConfiguration configuration)
    {
        var zones = configuration.Zones.ToDictionary(z => ZoneName.Parse(z.Name), z => z.File!);
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            ["knot.conf"] = Encoding.UTF8.GetBytes(KnotConfiguration.Render(zones.Keys, configuration.Listen.Select(l => ListenAddress.Parse(l.Address, l.Port)))),
        };
        foreach (var (name, text) in zones)
        {
            files[$"zones/{KnotConfiguration.ZoneFile(name)}"] = Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n") + (text.EndsWith('\n') ? "" : "\n"));
        }

        return files;
    }

    private static string Digest(SortedDictionary<string, byte[]> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, content) in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}\0{content.Length}\0"));
            hash.AppendData(content);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static async Task<MemoryStream> Tar(SortedDictionary<string, byte[]> files, CancellationToken cancellationToken)
    {
        var stream = new MemoryStream();
        await using (var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "zones/") { Mode = HostLayout.PrivateFolder }, cancellationToken);
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
