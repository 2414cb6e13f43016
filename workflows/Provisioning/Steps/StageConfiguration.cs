using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record StageInput(Guid ServerId, string Component, Guid ConfigurationId);

/// <param name="Digest">Of all files: the folder's name.</param>
/// <param name="Made">It was not on the host before.</param>
public sealed record StagedConfiguration(string Folder, string Digest, bool Made);

/// <summary>Writes a configuration into a folder of its own on the host, named by its contents. Nothing that serves sees it yet.</summary>
public sealed class StageConfiguration(Servers.Servers servers, Configurations configurations)
    : Step<StageConfiguration, StageInput, StagedConfiguration>, IUndoable<StageInput, StagedConfiguration>
{
    private const string Compare =
        """
        import hashlib, json, os, sys
        found = {}
        for top, folders, names in os.walk(sys.argv[1]):
            for name in names + [f for f in folders if os.path.islink(os.path.join(top, f))]:
                path = os.path.join(top, name)
                plain = os.path.isfile(path) and not os.path.islink(path)
                found[os.path.relpath(path, sys.argv[1])] = hashlib.sha256(open(path, "rb").read()).hexdigest() if plain else "other"
        print("same" if found == json.load(sys.stdin) else "other")
        """;

    public override async Task<StagedConfiguration> Run(StageInput input, StepContext step)
    {
        var configuration = await configurations.Get(input.ConfigurationId, step.Cancellation);
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var (files, digest) = configuration.For((await host.Facts([], step.Cancellation)).Interfaces);
        var configurationFolder = HostLayout.Of(host).Config(input.Component);
        var folder = $"{configurationFolder}/{digest}";
        var there = (await host.Run(["test", "-d", folder], cancellationToken: step.Cancellation)).Succeeded;
        if (there && await IsWhole(host, folder, files, step.Cancellation))
        {
            step.Unchanged("the host has this configuration already");
            return new StagedConfiguration(folder, digest, Made: false);
        }

        // Aside and renamed: a folder with the final name is whole.
        var aside = $"{configurationFolder}/.{digest}-{step.IdempotencyKey}";
        await host.Remove(aside, step.Cancellation);
        await host.EnsureFolder(aside, HostLayout.PrivateFolder, step.Cancellation);
        try
        {
            using var tar = await Tar(files, step.Cancellation);
            (await host.Run(["tar", "-x", "--no-same-owner", "-C", aside], new CommandOptions { Stdin = tar }, step.Cancellation)).Check();
            (await host.Run(["sync", "-f", aside], cancellationToken: step.Cancellation)).Check();
            if (there)
            {
                await host.Remove(Altered(folder), step.Cancellation);
                (await host.Run(["mv", "-T", "--", folder, Altered(folder)], cancellationToken: step.Cancellation)).Check();
            }

            (await host.Run(["mv", "-T", "--", aside, folder], cancellationToken: step.Cancellation)).Check();
        }
        catch
        {
            using var grace = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await host.Remove(aside, grace.Token);
            throw;
        }

        if (there)
        {
            step.Log($"The files in {folder} had been changed by hand; what they were is in {Altered(folder)} until the run has ended.", LogLevel.Warning);
        }

        step.Changed($"wrote {configuration.Contents}{(there ? " again: the files on the host had been changed by hand" : "")}");
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

    private static string Altered(string folder) => folder + ".altered";

    /// <summary>Whether the folder has these files, all of them, no other ones, and to the letter.</summary>
    private static async Task<bool> IsWhole(IHost host, string folder, SortedDictionary<string, byte[]> files, CancellationToken cancellationToken)
    {
        using var wanted = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(files.ToDictionary(f => f.Key, f => Convert.ToHexStringLower(SHA256.HashData(f.Value)))));
        var compared = (await host.Run(["python3", "-c", Compare, folder], new CommandOptions { Stdin = wanted }, cancellationToken)).Check();
        return compared.Stdout.Trim() == "same";
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
