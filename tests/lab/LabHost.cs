using System.Net.Sockets;
using System.Security.Cryptography;
using Docker.DotNet;
using Docker.DotNet.Models;
using static ManagedServers.Lab.LabDocker;

namespace ManagedServers.Lab;

/// <summary>A managed host as a container: SSH, Python 3 and a Docker engine of its own, at an address that this machine reaches.</summary>
public sealed class LabHost : IAsyncDisposable
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public required string Address { get; init; }

    /// <summary>Its address in each of its inner networks.</summary>
    public required IReadOnlyDictionary<string, string> InnerAddresses { get; init; }

    /// <summary>This machine's address on the host's network: where the host reaches a product that runs here.</summary>
    public required string Gateway { get; init; }

    public required string RootPassword { get; init; }

    /// <summary>Returns when the host answers on SSH and, if it has Docker, its engine answers: after 2 to 4 s.</summary>
    public static async Task<LabHost> Start(LabOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new LabOptions();
        await LabLeftovers.Remove(cancellationToken);
        var host = await Create(options, cancellationToken);
        try
        {
            using var script = LabSetup.Archive(LabSetup.Script(options, host.RootPassword));
            await Client.Containers.ExtractArchiveToContainerAsync(host.Id, new CopyToContainerParameters { Path = "/" }, script, cancellationToken);
            await Client.Containers.StartContainerAsync(host.Id, new ContainerStartParameters(), cancellationToken);
            await host.WaitUntilUp(cancellationToken);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a shell script as root inside, past SSH: for what a test needs to know or to break.</summary>
    public Task<LabOutput> TryRun(string script, CancellationToken cancellationToken = default) =>
        LabExec.Run(Id, ["sh", "-c", script], cancellationToken);

    /// <summary>As <see cref="TryRun"/>; returns what was printed, without the last line's end, and throws on an exit code other than 0.</summary>
    public async Task<string> Run(string script, CancellationToken cancellationToken = default)
    {
        var output = await TryRun(script, cancellationToken);
        return output.ExitCode == 0
            ? output.Text.TrimEnd('\n')
            : throw new InvalidOperationException($"On {Name}, `{script}` ended with {output.ExitCode}: {output.Text}{output.Errors}");
    }

    /// <summary>
    /// Freezes containers of the host, as `docker pause` does. The kernel does not always freeze a busy container in the time that runc gives it;
    /// it is thawed then, and asked again, ten times at most.
    /// </summary>
    public Task Pause(params IEnumerable<string> containers) => Run(
        $"""
        for container in {string.Join(' ', containers)}; do
            tries=0
            until docker pause $container; do tries=$((tries + 1)); [ $tries -lt 10 ] || exit 1; done
        done
        """);

    public Task StopDocker(CancellationToken cancellationToken = default) => Run("lab-service docker stop", cancellationToken);

    public async Task StartDocker(CancellationToken cancellationToken = default)
    {
        await Run("lab-service docker start", cancellationToken);
        await WaitUntilUp(cancellationToken);
    }

    /// <summary>kill -9 of the engine; returns when it has been started again, as systemd would, and answers.</summary>
    public Task KillDocker(CancellationToken cancellationToken = default) => Run(
        """
        was=$(cat /run/lab-host/docker.pid); kill -KILL $was
        until now=$(cat /run/lab-host/docker.pid 2> /dev/null) && [ "$now" != $was ] && docker version > /dev/null 2>&1; do sleep 0.05; done
        """, cancellationToken);

    /// <summary>Returns when the engine answers again.</summary>
    public async Task RestartDocker(CancellationToken cancellationToken = default)
    {
        await StopDocker(cancellationToken);
        await StartDocker(cancellationToken);
    }

    /// <summary>An orderly reboot: services are stopped, /run and /tmp are empty, /etc/rc.local runs, the disks are kept.</summary>
    public async Task Reboot(CancellationToken cancellationToken = default)
    {
        await Client.Containers.RestartContainerAsync(Id, new ContainerRestartParameters { WaitBeforeKillSeconds = 20 }, cancellationToken);
        await WaitUntilUp(cancellationToken);
    }

    /// <summary>As if the plug were pulled and put back.</summary>
    public async Task LosePower(CancellationToken cancellationToken = default)
    {
        await Client.Containers.KillContainerAsync(Id, new ContainerKillParameters { Signal = "KILL" }, cancellationToken);
        await Client.Containers.StartContainerAsync(Id, new ContainerStartParameters(), cancellationToken);
        await WaitUntilUp(cancellationToken);
    }

    /// <summary>Removes the host, its disk and, with its owner's last host, the network.</summary>
    public async ValueTask DisposeAsync() => await LabLeftovers.RemoveHost(Id);

    private static async Task<LabHost> Create(LabOptions options, CancellationToken cancellationToken)
    {
        using var gate = await LabGate.Enter(options.Owner, cancellationToken);
        var taken = (await LabContainer.Addresses(options.Owner, cancellationToken)).ToList();
        List<(LabNetwork Network, string Address)> places = [];
        foreach (var (segment, inner) in ((string, bool)[])[.. options.Reachable ? new[] { (options.Segment, false) } : [], .. options.InnerNetworks.Select(n => (n, true))])
        {
            var network = await LabNetwork.Of(options.Owner, segment, inner, cancellationToken);
            places.Add((network, network.FreeAddress(taken)));
        }

        var name = options.Name ?? "lab-" + RandomNumberGenerator.GetHexString(4, lowercase: true);
        return new LabHost
        {
            Id = await LabContainer.Create(name, places, options, cancellationToken),
            Name = name,
            Address = places[0].Address,
            InnerAddresses = options.InnerNetworks.Zip(places.Skip(options.Reachable ? 1 : 0)).ToDictionary(p => p.First, p => p.Second.Address),
            Gateway = places[0].Network.Gateway,
            RootPassword = RandomNumberGenerator.GetHexString(24, lowercase: true),
        };
    }

    private async Task WaitUntilUp(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        try
        {
            var waited = await LabExec.Run(Id, ["sh", "-c",
                """
                booted() { [ -e /run/lab-host/ssh.pid ] || systemctl is-system-running 2> /dev/null | grep -Eqx 'running|degraded'; }
                while [ -e /etc/lab-host/setup ] || ! booted; do sleep 0.1; done
                while [ -x /usr/sbin/dockerd ] && ! docker version > /dev/null 2>&1; do sleep 0.1; done
                """], limit.Token);
            if (waited.ExitCode != 0)
                throw await NotUp(null);
            while (InnerAddresses.Values.Contains(Address) ? (await TryRun("bash -c 'exec 3<>/dev/tcp/127.0.0.1/22 && head -c 4 <&3'", limit.Token)).Text.Length < 4 : !await AnswersOnSsh(limit.Token))
                await Task.Delay(50, limit.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or DockerApiException && !cancellationToken.IsCancellationRequested)
        {
            throw await NotUp(e);
        }
    }

    private async Task<InvalidOperationException> NotUp(Exception? cause) =>
        new($"{Name} ({Address}) did not come up: {await LabExec.Logs(Id, CancellationToken.None)}", cause);

    private async Task<bool> AnswersOnSsh(CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(Address, 22, cancellationToken);
            return await client.GetStream().ReadAsync(new byte[4], cancellationToken) == 4;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
