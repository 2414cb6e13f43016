using Docker.DotNet;
using Docker.DotNet.Models;

namespace ManagedServers.Lab;

/// <summary>This machine's Docker engine, and the labels by which the lab finds what is its own.</summary>
internal static class LabDocker
{
    public const string OwnerLabel = "managed-servers.lab.owner";

    public static DockerClient Client { get; } = new DockerClientBuilder().WithEndpoint(Endpoint()).Build();

    public static Dictionary<string, string> Labels(LabOwner owner) => new() { [OwnerLabel] = owner.ToString() };

    public static Dictionary<string, IDictionary<string, bool>> Filter(LabOwner? owner = null) => new()
    {
        ["label"] = new Dictionary<string, bool> { [owner is null ? OwnerLabel : $"{OwnerLabel}={owner}"] = true },
    };

    public static Task<IList<ContainerListResponse>> Hosts(LabOwner? owner, CancellationToken cancellationToken) =>
        Client.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = Filter(owner) }, cancellationToken);

    private static Uri Endpoint() => new(Environment.GetEnvironmentVariable("DOCKER_HOST") ?? "unix:///var/run/docker.sock");
}
