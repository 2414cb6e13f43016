using System.Formats.Tar;
using System.Text.Json;
using Docker.DotNet.Models;

namespace ManagedServers.Workflows.Hosts.Docker;

/// <summary>Containers that live for one command.</summary>
internal sealed class DockerThrowAway(DockerAsk ask, DockerHost docker, HostTarget target, TimeProvider time)
{
    private const string Label = "managed-servers.throw-away";
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(1);

    // Longer than any of them may live: what is older was left by a product that was killed.
    private static readonly TimeSpan Forgotten = TimeSpan.FromHours(1);

    public async Task<CommandResult> Run(ThrowAway command, CancellationToken cancellationToken)
    {
        var what = $"{command.Argv[0]} in a throw-away container on {target}";
        await RemoveForgotten(cancellationToken);
        var name = Name(command.Owner);

        // What a product that was killed in this very step has left.
        await docker.Remove(name, cancellationToken);
        try
        {
            await docker.Create(name, Specification(command, target.Login), cancellationToken);
            if (command.Files is { } files)
            {
                await Give(name, files, cancellationToken);
            }

            await docker.Start(name, cancellationToken);
            var exit = await Wait(name, what, command.Timeout, cancellationToken);
            var (output, error) = await ask.Logs(name, null, Soon, cancellationToken);
            return new CommandResult
            {
                ExitCode = exit,
                Stdout = Cut(output, command.OutputLimit),
                Stderr = Cut(error, command.OutputLimit),
                Truncated = output.Length > command.OutputLimit || error.Length > command.OutputLimit,
                What = what,
            };
        }
        finally
        {
            // Also after a cancel; a host that is gone must not hold the caller.
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
            try
            {
                await docker.Remove(name, limit.Token);
            }
            catch (Exception failure) when (failure is IHostProblem or OperationCanceledException)
            {
                // What went wrong before matters more; RemoveForgotten sees to it later.
            }
        }
    }

    public Task<bool> Remove(string owner, CancellationToken cancellationToken) => docker.Remove(Name(owner), cancellationToken);

    private async Task Give(string name, GivenFiles given, CancellationToken cancellationToken)
    {
        using var archive = new MemoryStream();
        await using (var tar = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (path, content) in given.Files)
            {
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, path) { Mode = UnixFileMode.UserRead, DataStream = new MemoryStream(content) }, cancellationToken);
            }
        }

        archive.Position = 0;
        await ask.For($"sending files to container {name}", Soon, async (client, ct) =>
        {
            await client.Containers.ExtractArchiveToContainerAsync(name, new CopyToContainerParameters { Path = given.Folder }, archive, ct);
            return true;
        }, cancellationToken);
    }

    private async Task<int> Wait(string name, string what, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timer.CancelAfter(limit);
        try
        {
            var end = await ask.For($"waiting for container {name}", limit + Soon, (client, ct) => client.Containers.WaitContainerAsync(name, ct), timer.Token);
            return (int)end.StatusCode;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HostCommandTimeoutException(what, limit);
        }
    }

    private async Task RemoveForgotten(CancellationToken cancellationToken)
    {
        var all = await ask.For("listing containers", Soon, (client, ct) =>
            client.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = DockerAsk.WithLabel(Label, "1") }, ct), cancellationToken);
        foreach (var old in all.Where(c => time.GetUtcNow() - c.Created.ToUniversalTime() > Forgotten))
        {
            await docker.Remove(old.ID, cancellationToken);
        }
    }

    private static string Name(string owner) => "managed-servers-throw-away-" + owner;

    internal static JsonElement Specification(ThrowAway command, HostLogin login) => JsonSerializer.SerializeToElement(new Dictionary<string, object>
    {
        ["Image"] = command.Image,
        ["Entrypoint"] = command.Argv,
        ["Cmd"] = Array.Empty<string>(),
        ["Labels"] = new Dictionary<string, string> { [Label] = "1" },
        // All else of it is read-only. Docker removes the volume with the container.
        ["Volumes"] = command.Files is { } files ? new Dictionary<string, object> { [files.Folder] = new() } : [],
        ["HostConfig"] = new Dictionary<string, object>
        {
            ["Binds"] = command.Binds.Select(Bind.Labelled),
            ["NetworkMode"] = command.Network ?? "none",
            ["ReadonlyRootfs"] = true,
            ["CapDrop"] = (string[])["ALL"],
            ["CapAdd"] = login.ContainerCapabilities,
            ["SecurityOpt"] = (string[])["no-new-privileges"],
            ["Tmpfs"] = new Dictionary<string, string> { ["/tmp"] = "", ["/run"] = "" },
            ["LogConfig"] = new Dictionary<string, object> { ["Type"] = "json-file" },
        },
    });

    private static string Cut(string text, int limit) => text.Length > limit ? text[..limit] : text;
}
