using System.Formats.Tar;
using System.Net.Sockets;
using System.Security.Cryptography;
using Docker.DotNet.Models;
using static ManagedServers.Lab.LabDocker;

namespace ManagedServers.Lab;

/// <summary>A mail server on the hosts' network, which this machine reaches too. It keeps what it takes; for <c>nobody@…</c> it takes nothing.</summary>
public sealed class LabMail : IAsyncDisposable
{
    /// <summary>Takes mail from everybody, without TLS.</summary>
    public const int PlainPort = 25;

    /// <summary>Wants STARTTLS and a login.</summary>
    public const int SubmissionPort = 587;
    public const string User = "alerts";
    public const string Password = "word-of-the-mail";

    private readonly string id;

    private LabMail(string id, string address, string authorityPem) => (this.id, Address, AuthorityPem) = (id, address, authorityPem);

    public string Address { get; }

    /// <summary>The authority that has signed its certificate.</summary>
    public string AuthorityPem { get; }

    /// <summary>Returns when it takes connections.</summary>
    public static async Task<LabMail> Start(LabOptions? options = null, CancellationToken cancellationToken = default)
    {
        await LabLeftovers.Remove(cancellationToken);
        var mail = await Create((options ?? new LabOptions()).Owner, cancellationToken);
        try
        {
            await Client.Containers.StartContainerAsync(mail.id, new ContainerStartParameters(), cancellationToken);
            await mail.WaitUntilUp(cancellationToken);
            return mail;
        }
        catch
        {
            await mail.DisposeAsync();
            throw;
        }
    }

    /// <summary>All mails that it has taken, as they came, in no order.</summary>
    public async Task<IReadOnlyList<string>> Mails(CancellationToken cancellationToken = default)
    {
        var answer = await Client.Containers.GetArchiveFromContainerAsync(id, new ContainerPathStatParameters { Path = "/var/mail" }, false, cancellationToken);
        await using var stream = answer.Stream!;
        await using var tar = new TarReader(stream);
        List<string> mails = [];
        while (await tar.GetNextEntryAsync(copyData: true, cancellationToken) is { } entry)
        {
            // Of a maildir: what is still being written is elsewhere.
            if (entry is { EntryType: TarEntryType.RegularFile or TarEntryType.V7RegularFile, DataStream: { } data } && entry.Name.Contains("/new/", StringComparison.Ordinal))
            {
                using var reader = new StreamReader(data);
                mails.Add(await reader.ReadToEndAsync(cancellationToken));
            }
        }

        return mails;
    }

    public async ValueTask DisposeAsync() => await LabLeftovers.RemoveHost(id);

    private static async Task<LabMail> Create(LabOwner owner, CancellationToken cancellationToken)
    {
        using var gate = await LabGate.Enter(owner, cancellationToken);
        var network = await LabNetwork.Of(owner, "", false, cancellationToken);
        var address = network.FreeAddress(await LabContainer.Addresses(owner, cancellationToken));
        var created = await Client.Containers.CreateContainerAsync(new CreateContainerParameters
        {
            Name = $"managed-servers-lab-smtp-{RandomNumberGenerator.GetHexString(8, lowercase: true)}",
            Hostname = "mail",
            Image = LabImages.Name("test-smtp"),
            Labels = LabContainer.Labels(owner, address),
            HostConfig = new HostConfig { NetworkMode = network.Id },
            NetworkingConfig = network.With(address),
        }, cancellationToken);
        var (archive, authority) = LabCertificates.Of("smtp", address);
        using (archive)
        {
            await Client.Containers.ExtractArchiveToContainerAsync(created.ID, new CopyToContainerParameters { Path = "/" }, archive, cancellationToken);
        }

        return new LabMail(created.ID, address, authority);
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
            throw new InvalidOperationException($"The mail server at {Address} did not come up: {await LabExec.Logs(id, CancellationToken.None)}", e);
        }
    }

    private async Task<bool> Answers(CancellationToken cancellationToken)
    {
        try
        {
            using var submission = new TcpClient();
            await submission.ConnectAsync(Address, SubmissionPort, cancellationToken);
            return await submission.GetStream().ReadAsync(new byte[1], cancellationToken) == 1;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
