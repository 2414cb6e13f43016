using System.Security.Cryptography;
using Docker.DotNet.Models;
using static ManagedServers.Lab.LabDocker;

namespace ManagedServers.Lab;

/// <summary>The container that a lab host is: what it needs to run a Docker engine inside, and no more.</summary>
internal static class LabContainer
{
    private const string AddressLabel = "managed-servers.lab.address";

    public static async Task<IEnumerable<string>> Addresses(LabOwner owner, CancellationToken cancellationToken) =>
        (await Hosts(owner, cancellationToken)).SelectMany(host => host.Labels[AddressLabel].Split(' '));

    public static Dictionary<string, string> Labels(LabOwner owner, params IEnumerable<string> addresses) => new(LabDocker.Labels(owner)) { [AddressLabel] = string.Join(' ', addresses) };

    /// <param name="places">The host's networks with its address in each.</param>
    public static async Task<string> Create(
        string name, IReadOnlyList<(LabNetwork Network, string Address)> places, LabOptions options, CancellationToken cancellationToken)
    {
        var (network, address) = places[0];
        var volume = await Client.Volumes.CreateAsync(new VolumesCreateParameters { Labels = LabDocker.Labels(options.Owner) }, cancellationToken);
        try
        {
            var created = await Client.Containers.CreateContainerAsync(new CreateContainerParameters
            {
                // Two labs may each have a host of this name; Docker's names are for the whole machine.
                Name = $"managed-servers-lab-{name}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}",
                Hostname = name,
                Image = LabImages.LabHost,
                Cmd = options.Systemd ? ["systemd"] : [],
                // systemd takes the usual TERM as an order to start itself anew; this one shuts down.
                StopSignal = options.Systemd ? "SIGRTMIN+3" : null,
                Labels = Labels(options.Owner, places.Select(p => p.Address)),
                HostConfig = HostConfig(volume.Name, network, options),
                NetworkingConfig = network.With(address),
            }, cancellationToken);
            foreach (var (further, there) in places.Skip(1))
                await Client.Networks.ConnectNetworkAsync(further.Id, new NetworkConnectParameters { Container = created.ID, EndpointConfig = further.With(there).EndpointsConfig[further.Id] }, cancellationToken);
            return created.ID;
        }
        catch
        {
            await Client.Volumes.RemoveAsync(volume.Name, force: true, CancellationToken.None);
            await LabNetwork.RemoveIfEmpty(options.Owner, CancellationToken.None);
            throw;
        }
    }

    private static HostConfig HostConfig(string volume, LabNetwork network, LabOptions options) => new()
    {
        Init = !options.Systemd,
        // --privileged would need every capability there is, and some machines withhold this one.
        CapAdd = ["ALL"],
        CapDrop = ["SYS_RESOURCE"],
        SecurityOpt = ["seccomp=unconfined", "apparmor=unconfined"],
        // What the command line's `systempaths=unconfined` means: nothing of /proc and /sys is hidden.
        MaskedPaths = [],
        ReadonlyPaths = [],
        DeviceCgroupRules = ["a *:* rwm"],
        // systemd in the machine's name space would not find its own groups of version 1, and set no limits.
        CgroupnsMode = options.Systemd || File.Exists("/sys/fs/cgroup/cgroup.controllers") ? "private" : "",
        NetworkMode = network.Id,
        // On a volume, because overlay2 does not work on top of itself.
        Mounts = [new Mount { Type = "volume", Source = volume, Target = "/var/lib/docker" }],
        Tmpfs = new Dictionary<string, string>(options.SmallFolders.Select(folder => KeyValuePair.Create(folder.Key, $"size={folder.Value}")))
        {
            ["/run"] = "",
            ["/tmp"] = "exec",
        },
    };
}
