using System.Text.Json;
using System.Text.Json.Nodes;
using Docker.DotNet;
using Docker.DotNet.Models;
using ManagedServers.Workflows.Hosts.Docker;

namespace ManagedServers.Workflows.Hosts;

/// <summary>The Docker engine of one host, through the host's SSH connection.</summary>
public sealed class DockerHost
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ImageLoad = TimeSpan.FromMinutes(30);
    private readonly DockerAsk ask;
    private readonly DockerThrowAway throwAway;

    internal DockerHost(DockerTransport transport, HostTarget target, TimeProvider time)
    {
        ask = new DockerAsk(transport, target);
        throwAway = new DockerThrowAway(ask, this, target, time);
    }

    /// <summary>Version of the engine; throws the typed reason when it does not answer.</summary>
    public Task<DockerVersion> Version(CancellationToken cancellationToken = default) => ask.For("asking for its version", TimeSpan.FromSeconds(30), async (docker, ct) =>
    {
        var version = await docker.System.GetVersionAsync(ct);
        return new DockerVersion(version.Version, version.APIVersion, version.Os, version.Arch);
    }, cancellationToken);

    /// <summary>An image by tag or id; null when the host has none.</summary>
    public Task<DockerImage?> FindImage(string reference, CancellationToken cancellationToken = default) => ask.For($"looking for image {DockerReference.Check(reference)}", Soon, async (docker, ct) =>
    {
        try
        {
            var image = await docker.Images.InspectImageAsync(reference, ct);
            return new DockerImage(image.ID, [.. image.RepoTags ?? []], Copy(image.Config?.Labels), image.Size);
        }
        catch (DockerImageNotFoundException)
        {
            return null;
        }
    }, cancellationToken);

    /// <summary>Images of a repository, in all versions: <c>managed-servers/knot</c>.</summary>
    public Task<IReadOnlyList<DockerImage>> FindImages(string repository, CancellationToken cancellationToken = default) => ask.For($"listing images of {DockerReference.Check(repository)}", Soon, async (docker, ct) =>
    {
        var filter = new Dictionary<string, IDictionary<string, bool>> { ["reference"] = new Dictionary<string, bool> { [repository] = true } };
        var images = await docker.Images.ListImagesAsync(new ImagesListParameters { Filters = filter }, ct);
        return (IReadOnlyList<DockerImage>)[.. images.Select(i => new DockerImage(i.ID, [.. i.RepoTags ?? []], Copy(i.Labels), i.Size))];
    }, cancellationToken);

    /// <summary>Feeds a docker-archive, plain or gzipped, to the engine. Gives the tags and ids that it says it loaded.</summary>
    /// <param name="progress">Bytes sent so far.</param>
    public Task<IReadOnlyList<string>> LoadImage(Stream archive, Action<long>? progress = null, CancellationToken cancellationToken = default) => ask.For("loading an image", ImageLoad, async (docker, ct) =>
    {
        var loaded = new LoadedImages();
        await docker.Images.LoadImageAsync(new ImageLoadParameters { Quiet = true }, new CountedStream(archive, progress), loaded, ct);
        return loaded.Error is null
            ? (IReadOnlyList<string>)loaded.References
            : throw new DockerApiException(System.Net.HttpStatusCode.BadRequest, loaded.Error);
    }, cancellationToken);

    /// <summary>False when there was none.</summary>
    public Task<bool> RemoveImage(string reference, CancellationToken cancellationToken = default) => ask.For($"removing image {DockerReference.Check(reference)}", Soon, async (docker, ct) =>
    {
        try
        {
            await docker.Images.DeleteImageAsync(reference, new ImageDeleteParameters(), ct);
            return true;
        }
        catch (DockerImageNotFoundException)
        {
            return false;
        }
    }, cancellationToken);

    /// <summary>A container by name or id, running or not; null when there is none.</summary>
    public Task<DockerContainer?> FindContainer(string name, CancellationToken cancellationToken = default) => ask.For($"looking for container {DockerReference.Check(name)}", Soon, async (docker, ct) =>
    {
        try
        {
            return ToContainer(await docker.Containers.InspectContainerAsync(name, ct));
        }
        catch (DockerContainerNotFoundException)
        {
            return null;
        }
    }, cancellationToken);

    /// <summary>Containers, running or not, that carry a label.</summary>
    public async Task<IReadOnlyList<DockerContainer>> FindContainers(string label, string value, CancellationToken cancellationToken = default)
    {
        var listed = await ask.For("listing containers", Soon, (docker, ct) =>
            docker.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = DockerAsk.WithLabel(label, value) }, ct), cancellationToken);
        var found = await Task.WhenAll(listed.Select(c => FindContainer(c.ID, cancellationToken)));
        return [.. found.OfType<DockerContainer>()];
    }

    /// <summary>Creates a container from the JSON of <c>POST /containers/create</c>, sent as it is. Gives its id.</summary>
    public Task<string> Create(string name, JsonElement specification, CancellationToken cancellationToken = default) =>
        ask.Create(DockerReference.Check(name), specification, Soon, cancellationToken);

    /// <summary>False when it ran already. One that was paused goes on.</summary>
    public async Task<bool> Start(string name, CancellationToken cancellationToken = default)
    {
        if (await FindContainer(name, cancellationToken) is not { IsPaused: true })
        {
            return await EvenIfLost(name, () => ask.For($"starting container {DockerReference.Check(name)}", Soon, (docker, ct) =>
                docker.Containers.StartContainerAsync(name, new ContainerStartParameters(), ct), cancellationToken), cancellationToken);
        }

        await ask.For($"letting container {DockerReference.Check(name)} go on", Soon, async (docker, ct) =>
        {
            await docker.Containers.UnpauseContainerAsync(name, ct);
            return true;
        }, cancellationToken);
        return true;
    }

    /// <summary>False when it was stopped already, or is not there.</summary>
    public Task<bool> Stop(string name, TimeSpan? grace = null, CancellationToken cancellationToken = default) =>
        ask.For($"stopping container {DockerReference.Check(name)}", Soon + (grace ?? TimeSpan.Zero), async (docker, ct) =>
        {
            try
            {
                return await docker.Containers.StopContainerAsync(name, new ContainerStopParameters { WaitBeforeKillSeconds = Seconds(grace) }, ct);
            }
            catch (DockerContainerNotFoundException)
            {
                return false;
            }
        }, cancellationToken);

    /// <summary>Starts it, and has the engine start it after a boot and after a crash of its own. False when it ran already.</summary>
    public async Task<bool> KeepRunning(string name, CancellationToken cancellationToken = default)
    {
        await SetRestart(name, RestartPolicyKind.Always, cancellationToken);
        return await Start(name, cancellationToken);
    }

    /// <summary>Stops it, and has the engine never start it by itself. False when it was stopped already, or is not there.</summary>
    public async Task<bool> KeepStopped(string name, CancellationToken cancellationToken = default) =>
        await SetRestart(name, RestartPolicyKind.No, cancellationToken) && await Stop(name, cancellationToken: cancellationToken);

    public Task Restart(string name, TimeSpan? grace = null, CancellationToken cancellationToken = default) =>
        EvenIfLost(name, () => ask.For($"restarting container {DockerReference.Check(name)}", Soon + (grace ?? TimeSpan.Zero), async (docker, ct) =>
        {
            await docker.Containers.RestartContainerAsync(name, new ContainerRestartParameters { WaitBeforeKillSeconds = Seconds(grace) }, ct);
            return true;
        }, cancellationToken), cancellationToken);

    /// <summary>Removes it, running or not, with its anonymous volumes. False when there was none.</summary>
    public Task<bool> Remove(string name, CancellationToken cancellationToken = default) => ask.For($"removing container {DockerReference.Check(name)}", Soon, async (docker, ct) =>
    {
        try
        {
            await docker.Containers.RemoveContainerAsync(name, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, ct);
            return true;
        }
        catch (DockerContainerNotFoundException)
        {
            return false;
        }
        catch (DockerApiException busy) when (busy.StatusCode == System.Net.HttpStatusCode.Conflict && busy.Message.Contains("already in progress", StringComparison.Ordinal))
        {
            return true;
        }
    }, cancellationToken);

    public Task Rename(string name, string other, CancellationToken cancellationToken = default) => ask.For($"renaming container {DockerReference.Check(name)}", Soon, async (docker, ct) =>
    {
        await docker.Containers.RenameContainerAsync(name, new ContainerRenameParameters { NewName = DockerReference.Check(other) }, ct);
        return true;
    }, cancellationToken);

    /// <summary>The last lines of both outputs.</summary>
    public async Task<string> Logs(string name, int lastLines = 100, CancellationToken cancellationToken = default)
    {
        var (output, error) = await ask.Logs(DockerReference.Check(name), lastLines, Soon, cancellationToken);
        return string.Join('\n', new[] { output.TrimEnd(), error.TrimEnd() }.Where(t => t.Length > 0));
    }

    /// <summary>Runs a command in a container of its own, without network unless asked, which is always removed again. Its exit code and output.</summary>
    public Task<CommandResult> RunThrowAway(ThrowAway command, CancellationToken cancellationToken = default) => throwAway.Run(command, cancellationToken);

    /// <summary>Removes what an interrupted <see cref="RunThrowAway"/> of that owner may have left. False when there was none.</summary>
    public Task<bool> RemoveThrowAway(string owner, CancellationToken cancellationToken = default) => throwAway.Remove(owner, cancellationToken);

    /// <summary>
    /// An engine that was killed while it started a container may never start it again: what runs containers below it goes on holding the half-started one
    /// by its id. The same under a new id starts: so a container is started by its name.
    /// </summary>
    private async Task<bool> EvenIfLost(string name, Func<Task<bool>> start, CancellationToken cancellationToken)
    {
        try
        {
            return await start();
        }
        catch (HostUnavailableException refused) when (DockerProblems.HoldsItsId(refused))
        {
            await MakeAnew(name, cancellationToken);
            return await start();
        }
    }

    private async Task MakeAnew(string name, CancellationToken cancellationToken)
    {
        var (lost, anew) = (await ask.Inspect(name, Soon, cancellationToken), name + "-anew");
        if (lost.GetProperty("Name").GetString()?.TrimStart('/') != name)
        {
            throw new ArgumentException($"A container is started by its name, and {name} is its id: made anew, it would have that for its name.", nameof(name));
        }

        var specification = JsonNode.Parse(lost.GetProperty("Config").GetRawText())!.AsObject();
        specification["HostConfig"] = JsonNode.Parse(lost.GetProperty("HostConfig").GetRawText());
        await Remove(anew, cancellationToken);
        await Create(anew, JsonSerializer.SerializeToElement(specification), cancellationToken);
        await Remove(name, cancellationToken);
        await Rename(anew, name, cancellationToken);
    }

    private Task<bool> SetRestart(string name, RestartPolicyKind policy, CancellationToken cancellationToken) => ask.For($"saying when container {DockerReference.Check(name)} is started again", Soon, async (docker, ct) =>
    {
        try
        {
            await docker.Containers.UpdateContainerAsync(name, new ContainerUpdateParameters { RestartPolicy = new RestartPolicy { Name = policy } }, ct);
            return true;
        }
        catch (DockerContainerNotFoundException)
        {
            return false;
        }
    }, cancellationToken);

    private static uint? Seconds(TimeSpan? grace) => grace is { } g ? (uint)Math.Clamp(g.TotalSeconds, 0, 3600) : null;

    private static Dictionary<string, string> Copy(IDictionary<string, string>? labels) => labels is null ? [] : new(labels);

    private static DockerContainer ToContainer(ContainerInspectResponse container) => new()
    {
        Id = container.ID,
        Name = container.Name.TrimStart('/'),
        Image = container.Config?.Image ?? "",
        ImageId = container.Image,
        State = container.State?.Status ?? "",
        Labels = Copy(container.Config?.Labels),
        Binds = [.. container.HostConfig?.Binds ?? []],
        ExitCode = (int)(container.State?.ExitCode ?? 0),
        RestartCount = (int)container.RestartCount,
        // A container that never ran has the year 1.
        StartedAt = DateTimeOffset.TryParse(container.State?.StartedAt, System.Globalization.CultureInfo.InvariantCulture, out var started) && started.Year > 1 ? started : null,
    };
}
