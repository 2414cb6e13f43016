using System.Formats.Tar;
using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record StageInput(Guid ServerId, string Component, Guid ConfigurationId);

/// <param name="Digest">Of all files: the folder's name.</param>
/// <param name="Made">It was not on the host before.</param>
public sealed record StagedConfiguration(string Folder, string Digest, bool Made);

/// <summary>
/// Writes a configuration into a folder of its own on the host, named by its contents. Nothing that serves sees it yet. Files that the current configuration has as well
/// are taken from there, so that one changed record costs one file.
/// </summary>
public sealed class StageConfiguration(Servers.Servers servers, Configurations configurations)
    : Step<StageConfiguration, StageInput, StagedConfiguration>, IUndoable<StageInput, StagedConfiguration>, IPreviewable<StageInput, StagedConfiguration>
{
    private const string Look =
        """
        import hashlib, json, os, sys
        found = {}
        top = sys.argv[1]
        for folder, folders, names in os.walk(top):
            for name in names + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
                path = os.path.join(folder, name)
                plain = os.path.isfile(path) and not os.path.islink(path)
                found[os.path.relpath(path, top)] = hashlib.sha256(open(path, "rb").read()).hexdigest() if plain else "other"
        print(json.dumps(found))
        """;

    // In one round trip. Standard input has a line of JSON (the hash of every file) and a tar with those that are sent. Aside and renamed: a folder with the final name is
    // whole. Unchanged files become links to the current configuration's, if those are still what they were.
    private const string Script =
        """
        import hashlib, json, os, shutil, subprocess, sys, tarfile
        root, digest, key = sys.argv[1:]
        wanted = json.loads(sys.stdin.buffer.readline().decode())
        folder, aside, altered = (os.path.join(root, name) for name in (digest, ".%s-%s" % (digest, key), digest + ".altered"))

        def sha256(path):
            if os.path.islink(path) or not os.path.isfile(path):
                return "other"
            with open(path, "rb") as file:
                return hashlib.sha256(file.read()).hexdigest()

        def files(top):
            return {os.path.relpath(os.path.join(at, name), top): sha256(os.path.join(at, name))
                    for at, folders, names in os.walk(top) for name in names + [f for f in folders if os.path.islink(os.path.join(at, f))]}

        def sync(path):
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)

        def end(word):
            shutil.rmtree(aside, ignore_errors=True)
            print(word)
            sys.exit()

        there = os.path.lexists(folder)
        if there and files(folder) == wanted:
            while sys.stdin.buffer.read(65536):
                pass
            end("same")

        shutil.rmtree(aside, ignore_errors=True)
        for name in {os.path.dirname(name) for name in wanted}:
            os.makedirs(os.path.join(aside, name), 0o700, exist_ok=True)
        sent = []
        # Without a file nothing is sent at all.
        if sys.stdin.buffer.peek(1):
            with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as tar:
                for entry in tar:
                    path = os.path.join(aside, entry.name)
                    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                        shutil.copyfileobj(tar.extractfile(entry), file)
                    sent.append(path)
        current = os.path.realpath(os.path.join(root, "current"))
        for name, content in wanted.items():
            path, known = os.path.join(aside, name), os.path.join(current, name)
            if not os.path.lexists(path):
                if sha256(known) != content:
                    end("incomplete")
                os.link(known, path)
            elif sha256(path) != content:
                raise SystemExit("the contents arrived in part only")
        if len(sent) > 32:
            subprocess.call(["sync", "-f", aside])
        else:
            for path in sent + [at for at, folders, names in os.walk(aside)]:
                sync(path)
        if there:
            shutil.rmtree(altered, ignore_errors=True)
            os.rename(folder, altered)
        os.rename(aside, folder)
        sync(root)
        print("again" if there else "made")
        """;

    public override async Task<StagedConfiguration> Run(StageInput input, StepContext step)
    {
        var wanted = await configurations.Get(input.ConfigurationId, step.Cancellation);
        var current = await configurations.Current(input.ServerId, input.Component, step.Cancellation);
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var files = await wanted.FilesFor(host, step.Cancellation);
        var digest = ComponentConfiguration.DigestOf(files);
        var changed = current is null || input.Component == Component.Dhcp ? [.. files.Keys] : ComponentConfiguration.Differing(files, await current.Configuration.FilesFor(host, step.Cancellation));

        var said = await Stage(host, input.Component, digest, files, changed, step);
        if (said == "incomplete")
        {
            // The current configuration on the host is not what the product has put there.
            said = await Stage(host, input.Component, digest, files, [.. files.Keys], step);
        }

        var folder = $"{HostLayout.Of(host).Config(input.Component)}/{digest}";
        if (said == "same")
        {
            step.Unchanged("the host has this configuration already");
            // An interrupted attempt may have written it, and what serves must read it then.
            return new StagedConfiguration(folder, digest, Made: step.WasInterrupted);
        }

        if (said == "again")
        {
            step.Log($"The files in {folder} had been changed by hand; what they were is in {folder}.altered until the run has ended.", LogLevel.Warning);
        }

        step.Changed($"wrote {wanted.Contents}{(said == "again" ? " again: the files on the host had been changed by hand" : "")}");
        return new StagedConfiguration(folder, digest, Made: true);
    }

    public async Task<Preview<StagedConfiguration>> Preview(StageInput input, CancellationToken cancellationToken)
    {
        var configuration = await configurations.Get(input.ConfigurationId, cancellationToken);
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var files = await configuration.FilesFor(host, cancellationToken);
        var digest = ComponentConfiguration.DigestOf(files);
        var folder = $"{HostLayout.Of(host).Config(input.Component)}/{digest}";
        // A link's own walk would show nothing.
        var current = await CurrentConfiguration.Read(host, input.Component, cancellationToken);
        var there = current is null ? [] : await Digests(host, $"{HostLayout.Of(host).Config(input.Component)}/{current}", cancellationToken);
        var made = !(current == digest ? files.Count == there.Count && files.All(f => there.GetValueOrDefault(f.Key) == FileDifferences.Digest(f.Value)) : await IsWhole(host, folder, files, cancellationToken));
        return Preview<StagedConfiguration>.Of(new StagedConfiguration(folder, digest, made), await FileDifferences.Of(input.Component, files, there, name => Current(host, input.Component, name, cancellationToken)));
    }

    private static async Task<byte[]?> Current(IHost host, string component, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await host.ReadFile($"{HostLayout.Of(host).Config(component)}/current/{name}", FileDifferences.LargestShown, cancellationToken);
        }
        catch (HostRejectedException refusal) when (refusal.Code == HostProblem.FileTooLong)
        {
            return null;
        }
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

    /// <summary>Whether the folder has these files, all of them, no other ones, and to the letter.</summary>
    private static async Task<bool> IsWhole(IHost host, string folder, SortedDictionary<string, byte[]> files, CancellationToken cancellationToken)
    {
        var found = await Digests(host, folder, cancellationToken);
        return found.Count == files.Count && files.All(f => found.GetValueOrDefault(f.Key) == FileDifferences.Digest(f.Value));
    }

    /// <summary>Of all files in the folder and below it; empty when there is none.</summary>
    private static async Task<Dictionary<string, string>> Digests(IHost host, string folder, CancellationToken cancellationToken) =>
        JsonSerializer.Deserialize<Dictionary<string, string>>((await host.Run(["python3", "-c", Look, folder], new CommandOptions { OutputLimit = 16 << 20 }, cancellationToken)).Check().Stdout)!;

    private static async Task<string> Stage(IHost host, string component, string digest, SortedDictionary<string, byte[]> files, IReadOnlyList<string> sent, StepContext step)
    {
        using var data = new MemoryStream();
        await JsonSerializer.SerializeAsync(data, files.ToDictionary(f => f.Key, f => FileDifferences.Digest(f.Value)), cancellationToken: step.Cancellation);
        data.WriteByte((byte)'\n');
        await using (var tar = new TarWriter(data, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var name in sent)
            {
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { Mode = HostLayout.PrivateFile, DataStream = new MemoryStream(files[name]) }, step.Cancellation);
            }
        }

        data.Position = 0;
        var result = await host.Run(["python3", "-c", Script, HostLayout.Of(host).Config(component), digest, step.IdempotencyKey], new CommandOptions { Stdin = data, Timeout = TimeSpan.FromMinutes(8) }, step.Cancellation);
        return result.Check().Stdout.Trim();
    }
}
