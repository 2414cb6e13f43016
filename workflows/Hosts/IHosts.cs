namespace ManagedServers.Workflows.Hosts;

/// <summary>The way to managed hosts: SSH, and Docker through it.</summary>
public interface IHosts
{
    /// <summary>Asks a host for its key, before any credential is sent to it.</summary>
    /// <param name="via">The host through which it is reached; null where the product reaches it directly.</param>
    Task<HostKey> ReadHostKey(HostAddress address, SshPort port, HostTarget? via = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Leases the one SSH connection to that host and login, made when there is none, and so those to the hosts on the way, which all who go
    /// through them share. Give it back by disposing it: the connection stays for a while for whoever comes next.
    /// </summary>
    Task<IHost> Connect(HostTarget target, CancellationToken cancellationToken = default);

    /// <summary>
    /// Logs in anew, whatever connection there is: one from before says nothing of a credential, or of what a user may do, as they are now.
    /// Whoever comes next shares the new connection. It goes through those to the hosts on the way as they are.
    /// </summary>
    Task Prove(HostTarget target, CancellationToken cancellationToken = default);

    /// <summary>As <see cref="Prove"/>, for one host on the way after the other, and then for this one.</summary>
    async Task ProveWay(HostTarget target, CancellationToken cancellationToken = default)
    {
        if (target.Via is { } via)
        {
            await ProveWay(via, cancellationToken);
        }

        await Prove(target, cancellationToken);
    }
}

/// <summary>A leased connection to one host. Safe for concurrent use; at most eight channels at once, further ones queue.</summary>
public interface IHost : IAsyncDisposable
{
    HostTarget Target { get; }

    /// <summary>The host's own Docker engine.</summary>
    DockerHost Docker { get; }

    /// <summary>Runs a program and waits for its end. The arguments are in the host's process list: secrets go through <see cref="CommandOptions.Stdin"/>.</summary>
    Task<CommandResult> Run(IReadOnlyList<string> argv, CommandOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Starts a program that stays and answers each line with one line, as root where the login may become it. It takes one of the eight channels until it is disposed of, and so does the host's connection.</summary>
    Task<LineSession> Converse(IReadOnlyList<string> argv, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs a command that survives the loss of the connection and of the product. Called again with the same key it attaches:
    /// streams the output from its beginning, waits, and gives the recorded result; it is never started twice.
    /// </summary>
    /// <param name="key">Letters, digits and dashes, at most 128: a step's <c>IdempotencyKey</c>.</param>
    Task<CommandResult> RunKept(string key, KeptCommand command, CancellationToken cancellationToken = default);

    /// <summary>What became of a kept command.</summary>
    Task<KeptCommandState> LookUpKept(string key, CancellationToken cancellationToken = default);

    /// <summary>Ends a kept command and its children (TERM, after 10 s KILL) and waits until they are gone. Nothing happens if it does not run.</summary>
    Task EndKept(string key, CancellationToken cancellationToken = default);

    /// <summary>Removes what the host remembers of an ended or lost command. Refuses while it runs.</summary>
    Task ForgetKept(string key, CancellationToken cancellationToken = default);

    /// <summary>The file's contents, or null when there is none. Throws when it is longer than the limit in bytes.</summary>
    Task<byte[]?> ReadFile(string path, int limit = 1 << 20, CancellationToken cancellationToken = default);

    /// <summary>Writes aside, syncs and renames one after another, in one round trip, owned by root, or by the user where there is no root. False for those that were there already with the same contents, mode and owner.</summary>
    Task<IReadOnlyList<bool>> WriteFiles(IReadOnlyList<HostFile> wanted, CancellationToken cancellationToken = default);

    /// <summary>As <see cref="WriteFiles"/>, for one.</summary>
    async Task<bool> WriteFile(string path, ReadOnlyMemory<byte> content, UnixFileMode mode, CancellationToken cancellationToken = default) =>
        (await WriteFiles([new HostFile(path, content, mode)], cancellationToken))[0];

    /// <summary>Makes folders and their parents, in one round trip. False for those that were there; their mode and owner are put right then.</summary>
    Task<IReadOnlyList<bool>> EnsureFolders(IReadOnlyList<string> paths, UnixFileMode mode, CancellationToken cancellationToken = default);

    /// <summary>As <see cref="EnsureFolders"/>, for one.</summary>
    async Task<bool> EnsureFolder(string path, UnixFileMode mode, CancellationToken cancellationToken = default) => (await EnsureFolders([path], mode, cancellationToken))[0];

    /// <summary>Removes a file or a whole folder. False when there was none.</summary>
    Task<bool> Remove(string path, CancellationToken cancellationToken = default);

    /// <summary>What preflight needs to know, in one round trip; needs nothing but a POSIX shell and /proc.</summary>
    /// <param name="diskPaths">Where free space is asked for; of a missing path, the nearest folder that exists.</param>
    Task<HostFacts> Facts(IReadOnlyList<string> diskPaths, CancellationToken cancellationToken = default);

    /// <summary>What the user who logs in may do there, whatever the target says of it.</summary>
    Task<LoginFacts> ReadLogin(CancellationToken cancellationToken = default);

    /// <summary>Whether the host reaches an HTTPS address of the product, trusting only the given authority under the fixed name <c>managed-servers</c>.</summary>
    Task<Reachability> CanReach(Uri url, string authorityPem, CancellationToken cancellationToken = default);

    /// <summary>Whether the host reaches a broker that speaks AMQP. Signs in nowhere.</summary>
    /// <param name="authorityPem">The only authority to trust; null where the broker speaks without TLS.</param>
    Task<Reachability> CanReachBroker(string address, int port, string? authorityPem, CancellationToken cancellationToken = default);
}

/// <summary>A file as it is to be on a host.</summary>
public sealed record HostFile(string Path, ReadOnlyMemory<byte> Content, UnixFileMode Mode);

/// <param name="Why">What came back when it is not reached, in the host's words.</param>
public sealed record Reachability(bool Reached, int? Status, string? Why);
