using System.Net.Sockets;
using System.Security.Cryptography;
using Docker.DotNet.Models;
using static ManagedServers.Lab.LabDocker;

namespace ManagedServers.Lab;

/// <summary>A RabbitMQ on the hosts' network, which this machine reaches too, at an address that it keeps; with and without TLS. Its users and virtual host are those of its image.</summary>
public sealed class LabBroker : IAsyncDisposable
{
    public const int PlainPort = 5672;
    public const int TlsPort = 5671;
    public const string VirtualHost = "statistics";

    /// <summary>May do everything in the virtual host.</summary>
    public const string User = "product";
    public const string Password = "word-of-the-product";

    /// <summary>May only write, and only to the exchange 'managed-servers'.</summary>
    public const string HostUser = "hosts";
    public const string HostPassword = "word-of-all-hosts";

    private readonly string id;

    private LabBroker(string id, string address, string authorityPem) => (this.id, Address, AuthorityPem) = (id, address, authorityPem);

    public string Address { get; }

    /// <summary>The authority that has signed its certificate.</summary>
    public string AuthorityPem { get; }

    /// <summary>Returns when it takes connections: after about 4 s.</summary>
    public static async Task<LabBroker> Start(LabOptions? options = null, CancellationToken cancellationToken = default)
    {
        await LabLeftovers.Remove(cancellationToken);
        var broker = await Create((options ?? new LabOptions()).Owner, cancellationToken);
        try
        {
            await Client.Containers.StartContainerAsync(broker.id, new ContainerStartParameters(), cancellationToken);
            await broker.WaitUntilUp(cancellationToken);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>What an operator's restart is. Returns when it takes connections again.</summary>
    public async Task Restart(CancellationToken cancellationToken = default)
    {
        await Client.Containers.RestartContainerAsync(id, new ContainerRestartParameters { WaitBeforeKillSeconds = 20 }, cancellationToken);
        await WaitUntilUp(cancellationToken);
    }

    public async ValueTask DisposeAsync() => await LabLeftovers.RemoveHost(id);

    private static async Task<LabBroker> Create(LabOwner owner, CancellationToken cancellationToken)
    {
        using var gate = await LabGate.Enter(owner, cancellationToken);
        var network = await LabNetwork.Of(owner, "", false, cancellationToken);
        var address = network.FreeAddress(await LabContainer.Addresses(owner, cancellationToken));
        var created = await Client.Containers.CreateContainerAsync(new CreateContainerParameters
        {
            Name = $"managed-servers-lab-rabbitmq-{RandomNumberGenerator.GetHexString(8, lowercase: true)}",
            Hostname = "rabbitmq",
            Image = LabImages.Name("test-rabbitmq"),
            Labels = LabContainer.Labels(owner, address),
            HostConfig = new HostConfig { NetworkMode = network.Id },
            NetworkingConfig = network.With(address),
        }, cancellationToken);
        var (archive, authority) = LabCertificates.Of("rabbitmq", address);
        using (archive)
        {
            await Client.Containers.ExtractArchiveToContainerAsync(created.ID, new CopyToContainerParameters { Path = "/" }, archive, cancellationToken);
        }

        return new LabBroker(created.ID, address, authority);
    }

    private async Task WaitUntilUp(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        try
        {
            while (!await Answers(limit.Token))
                await Task.Delay(100, limit.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new InvalidOperationException($"RabbitMQ at {Address} did not come up: {await LabExec.Logs(id, CancellationToken.None)}", e);
        }
    }

    /// <summary>It greets who speaks its protocol; with TLS, which it listens for last, a connection is enough.</summary>
    private async Task<bool> Answers(CancellationToken cancellationToken)
    {
        try
        {
            using var plain = new TcpClient();
            await plain.ConnectAsync(Address, PlainPort, cancellationToken);
            await plain.GetStream().WriteAsync(new byte[] { 0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1 }, cancellationToken);
            using var tls = new TcpClient();
            await tls.ConnectAsync(Address, TlsPort, cancellationToken);
            return await plain.GetStream().ReadAsync(new byte[1], cancellationToken) == 1;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
