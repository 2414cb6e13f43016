using ManagedServers.Workflows.Hosts.Docker;
using ManagedServers.Workflows.Hosts.OnHost;

namespace ManagedServers.Workflows.Hosts;

/// <summary>A lease of a host's connection.</summary>
internal sealed class Host : IHost
{
    private readonly HostLease lease;
    private readonly CommandRunner runner;
    private readonly HostFiles files;
    private readonly KeptCommands kept;
    private readonly HostFactsReader facts;
    private readonly HostReach reach;
    private readonly LoginReader login;

    public Host(HostLease lease, HostTarget target, TimeProvider time)
    {
        Target = target;
        this.lease = lease;
        var link = lease.Link;
        runner = new CommandRunner(link.Connection, target);
        files = new HostFiles(runner, target);
        kept = new KeptCommands(runner, target);
        facts = new HostFactsReader(runner, target, time);
        reach = new HostReach(runner, target);
        login = new LoginReader(runner, target);
        Docker = new DockerHost(link.DockerFor(target), target, time);
    }

    public HostTarget Target { get; }

    public DockerHost Docker { get; }

    internal HostFiles Files => files;

    public Task<CommandResult> Run(IReadOnlyList<string> argv, CommandOptions? options = null, CancellationToken cancellationToken = default) =>
        runner.Run(argv, options ?? new CommandOptions(), cancellationToken);

    public Task<LineSession> Converse(IReadOnlyList<string> argv, CancellationToken cancellationToken = default) => runner.Converse(argv, cancellationToken);

    public Task<CommandResult> RunKept(string key, KeptCommand command, CancellationToken cancellationToken = default) => kept.Run(key, command, cancellationToken);

    public Task<KeptCommandState> LookUpKept(string key, CancellationToken cancellationToken = default) => kept.LookUp(key, cancellationToken);

    public Task EndKept(string key, CancellationToken cancellationToken = default) => kept.End(key, cancellationToken);

    public Task ForgetKept(string key, CancellationToken cancellationToken = default) => kept.Forget(key, cancellationToken);

    public Task<byte[]?> ReadFile(string path, int limit = 1 << 20, CancellationToken cancellationToken = default) => files.Read(path, limit, cancellationToken);

    public Task<IReadOnlyList<bool>> WriteFiles(IReadOnlyList<HostFile> wanted, CancellationToken cancellationToken = default) => files.Write(wanted, cancellationToken);

    public Task<IReadOnlyList<bool>> EnsureFolders(IReadOnlyList<string> paths, UnixFileMode mode, CancellationToken cancellationToken = default) =>
        files.EnsureFolders(paths, mode, cancellationToken);

    public Task<bool> Remove(string path, CancellationToken cancellationToken = default) => files.Remove(path, cancellationToken);

    public Task<HostFacts> Facts(IReadOnlyList<string> diskPaths, CancellationToken cancellationToken = default) => facts.Read(diskPaths, cancellationToken);

    public Task<LoginFacts> ReadLogin(CancellationToken cancellationToken = default) => login.Read(cancellationToken);

    public Task<Reachability> CanReach(Uri url, string authorityPem, CancellationToken cancellationToken = default) => reach.Try(url, authorityPem, cancellationToken);

    public Task<Reachability> CanReachBroker(string address, int port, string? authorityPem, CancellationToken cancellationToken = default) => reach.TryBroker(address, port, authorityPem, cancellationToken);

    public ValueTask DisposeAsync() => lease.DisposeAsync();
}
