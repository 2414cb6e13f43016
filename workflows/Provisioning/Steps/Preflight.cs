using System.Globalization;
using System.Net;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Hosts.Ssh;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Mending">Pre-commands come next, and the host is looked at again after them: what they may put right does not stop the run yet.</param>
/// <param name="Mended">Pre-commands have run; in a plan, they have not yet.</param>
public sealed record PreflightInput(Guid ServerId, IReadOnlyList<string> Components, IReadOnlyList<ListenRequest> Listen, Uri ApiAddress, StatisticsWay Statistics = StatisticsWay.Https, bool Mending = false, bool Mended = false);

/// <summary>One thing looked at.</summary>
/// <param name="Fix">What to do; null when it is well.</param>
public sealed record Check(string Name, bool Ok, string Found, string Needed, string? Fix)
{
    /// <summary>A pre-command may put it right.</summary>
    public bool Mendable { get; init; }

    /// <summary>It fails, and <see cref="Fix"/> is what somebody has to paste as root before an install can go on: the login itself never becomes root.</summary>
    public bool RootStep { get; init; }

    public static Check Of(string name, bool ok, string found, string needed, string fix) => new(name, ok, found, needed, ok ? null : fix);
}

public sealed record PreflightResult(IReadOnlyList<Check> Checks);

/// <summary>Looks at everything that an install needs. Changes nothing.</summary>
public sealed class Preflight(Servers.Servers servers, PayloadFiles payload) : Step<Preflight, PreflightInput, PreflightResult>, IPreviewable<PreflightInput, PreflightResult>
{
    // Two images of some 20 MB, unpacked, with room for zones and logs.
    internal const long NeededDisk = 300L * 1024 * 1024;
    internal const long NeededMemory = 128L * 1024 * 1024;
    internal static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(30);
    private const string Knot = "knotd";
    private const string Kea = "kea-dhcp4";
    private static readonly Version OldestPython = new(3, 6);

    public override async Task<PreflightResult> Run(PreflightInput input, StepContext step)
    {
        var checks = await Checks(input, step.Cancellation);
        foreach (var check in checks)
        {
            var later = input.Mending && !check.Ok && check.Mendable && !check.RootStep;
            step.Log($"{(check.Ok ? "ok  " : check.RootStep ? "root" : later ? "not yet" : "FAIL")} {check.Name}: {check.Found}{(check.Ok ? "" : $" (needed: {check.Needed}{(later ? "; looked at again after the pre-commands" : "")})")}");
        }

        return Judge(checks, input.Mending);
    }

    public async Task<Preview<PreflightResult>> Preview(PreflightInput input, CancellationToken cancellationToken)
    {
        var checks = await Checks(input, cancellationToken);
        // They have not run yet, on either side of them.
        var mending = input.Mending || input.Mended;
        var later = checks.Where(c => !c.Ok && (c.RootStep || (c.Mendable && mending))).Select(c => c.Name).ToList();
        return Preview<PreflightResult>.Nothing(Judge(checks, mending), later.Count > 0 ? $"not well yet, for the pre-commands or for root to put right: {string.Join(", ", later)}" : null);
    }

    private static PreflightResult Judge(IReadOnlyList<Check> checks, bool mending)
    {
        var failed = checks.Where(c => !c.Ok && !c.RootStep && !(mending && c.Mendable)).ToList();
        return failed.Count == 0
            ? new PreflightResult(checks)
            : throw new StepRejectedException("The host is not ready, and nothing was changed. "
                + string.Join(" ", failed.Select(c => $"{c.Name}: found {c.Found}, needed {c.Needed}. {c.Fix}")));
    }

    public async Task<IReadOnlyList<Check>> Checks(PreflightInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        // At once: each starts a program on the host, and waits.
        var (looking, reaching) = (host.Facts(["/var/lib/docker", HostLayout.Of(host).Root], cancellationToken), input.Statistics == StatisticsWay.Pull ? Task.FromResult<Reachability?>(null) : Reach(host, input.ApiAddress, cancellationToken));
        try
        {
            await Task.WhenAll(looking, reaching);
        }
        catch (HostRejectedException refusal) when (refusal.Code == HostProblem.SudoRefused)
        {
            // Without it nothing else can be looked at.
            return [await Sudo(host, cancellationToken)];
        }

        var facts = await looking;
        var login = host.Target.Login.Kind;
        var owner = await Owner(host, facts, input, cancellationToken);
        List<Check> checks =
        [
            Login(host.Target, facts),
            owner,
            SystemChecks.System(facts, (await servers.Get(input.ServerId.ToString(), cancellationToken)).OperatingSystem),
            Check.Of("architecture", facts.Architecture == "x86_64", facts.Architecture, "x86_64", "The images are built for x86_64; choose such a host."),
            Python(facts),
            Docker(facts, host.Target),
            .. facts.Disks.Select(Disk),
            Folder(facts, HostLayout.Of(host).Root),
            Check.Of("memory", facts.MemoryAvailableBytes >= NeededMemory, $"{MiB(facts.MemoryAvailableBytes)} available", MiB(NeededMemory), "Stop what uses it, or give the host more.") with { Mendable = true },
            Check.Of("clock", facts.ClockOffset.Duration() <= ClockTolerance, $"{facts.ClockOffset.TotalSeconds:+0.0;-0.0;0.0} s off",
                $"at most {ClockTolerance.TotalSeconds:0} s", "Let the host synchronise its clock, for example: timedatectl set-ntp true") with { Mendable = true },
            .. SystemChecks.SELinux(facts) is { } selinux ? [selinux] : Array.Empty<Check>(),
        ];
        if (input.Components.Contains(Component.Dns))
        {
            var own = await Own(Component.Dns);
            var listens = own?.Labels.GetValueOrDefault(ContainerSpecification.ListenLabel)?.Split(' ') ?? [];
            checks.AddRange(input.Listen.Select(l => Address(l, facts) ?? Port(l, facts, t => own is not null && IsOwn(t, Knot, listens.Contains($"{t.Address}@{t.Port}")), "DNS", login)));
            LetIn("dns", input.Listen.Where(l => !IPAddress.IsLoopback(IPAddress.Parse(l.Address!))).Select(l => l.Port).Distinct().SelectMany(p => new[] { (p, "udp"), (p, "tcp") }));
        }

        if (input.Components.Contains(Component.Dhcp))
        {
            var own = await Own(Component.Dhcp);
            // Two DHCP servers on one host would hand out each other's addresses.
            checks.Add(Port(new ListenRequest("0.0.0.0", SystemChecks.DhcpPort), facts with { Listening = [.. facts.Listening.Where(l => l.Protocol == "udp")] }, t => own is not null && IsOwn(t, Kea, true), "DHCP", login));
            LetIn("dhcp", [(SystemChecks.DhcpPort, "udp")]);
        }

        if (login == LoginKind.Docker && facts.PythonVersion is not null)
        {
            checks.Add(await AtBoot(host, cancellationToken));
        }

        checks.Add(input.Statistics == StatisticsWay.Pull ? Check.Of("product's address", true, "need not be reached from the host: what is measured there is fetched", "", "") : ApiAddress(input.ApiAddress, await reaching));
        if (input.Statistics == StatisticsWay.Rabbitmq && input.Components.Contains(Component.Monitor) && facts.PythonVersion is not null)
        {
            checks.Add(await BrokerCheck.Of(host, await payload.Broker(cancellationToken), cancellationToken));
        }

        return checks;

        void LetIn(string service, IEnumerable<(int, string)> ports)
        {
            if (SystemChecks.Firewall(facts, service, [.. ports]) is { } firewall)
            {
                checks.Add(firewall with { RootStep = !firewall.Ok && login == LoginKind.Docker });
            }
        }

        async Task<DockerContainer?> Own(string component) =>
            owner.Ok && facts.DockerServerVersion is not null && await host.Docker.FindContainer(Component.ContainerName(component), cancellationToken) is { } found && (found.IsRunning || found.IsPaused) ? found : null;

        // Whose a port is, the kernel tells root alone; without root our own container's label must do.
        bool IsOwn(ListeningPort taken, string program, bool asTold) => taken.Process == program || (login == LoginKind.Docker && taken.Process is null && asTold);
    }

    private static Check Login(HostTarget target, HostFacts facts) => facts.UserId == 0 || target.Login.Kind == LoginKind.Docker
        ? Check.Of("login", true, HostLogin.Words(target.Login.Kind, target.User), "", "")
        : Check.Of("login", false, $"{target.User} has the user id {facts.UserId}", "root", $"Let the product look at what the user may do: msctl servers edit {RemoteCommandLine.Quote(target.DisplayName)} --login auto");

    private static async Task<Check> Sudo(IHost host, CancellationToken cancellationToken)
    {
        var said = (await host.ReadLogin(cancellationToken)).SudoProblem ?? "nothing";
        return Check.Of("login", false, $"sudo for {host.Target.User} says: {said}", "sudo to root without a password", $"As root on the host: {Hosts.Sudo.Grant(host.Target.User, said)}");
    }

    private static Check Python(HostFacts facts) => Check.Of("python",
        facts.PythonVersion is { } found && Version.TryParse(found, out var version) && version >= OldestPython,
        facts.PythonVersion ?? "no python3", $"{OldestPython} or newer", "Install it, for example: apt-get install python3 (Debian, Ubuntu) or dnf install python3 (RHEL family).");

    private static Check Docker(HostFacts facts, HostTarget target) => (facts.DockerClientVersion, facts.DockerServerVersion) switch
    {
        _ when facts.DockerIsPodman => Check.Of("docker", false, "Podman under Docker's name", "a running engine of Docker",
            $"Podman keeps no engine that starts containers again after a reboot. Install Docker's on {target}: dnf remove podman-docker, then docker-ce as https://docs.docker.com/engine/install/ says."),
        (_, { } server) => Check.Of("docker", true, server, "a running engine", ""),
        (null, null) => Check.Of("docker", false, "no docker command", "a running engine", $"Install Docker on {target}, for example: apt-get install docker.io (Debian, Ubuntu)."),
        _ when facts.DockerProblem?.Contains("permission", StringComparison.OrdinalIgnoreCase) == true =>
            Check.Of("docker", false, facts.DockerProblem, "permission to use it", $"Let {target.User} use Docker: usermod -aG docker {target.User}, or register the server with root."),
        _ => Check.Of("docker", false, facts.DockerProblem ?? "an engine that does not answer", "a running engine", "Start it: systemctl start docker; its log says why it stopped: journalctl -u docker"),
    };

    private static Check Folder(HostFacts facts, string root) => Check.Of("folder", !facts.Unusable.ContainsKey(root), facts.Unusable.GetValueOrDefault(root) ?? $"{root} can be written", "a folder that can be written",
        $"Move away what is in the place of {root}, or mount its file system so that it can be written (mount -o remount,rw).") with { Mendable = true };

    private static Check Disk(DiskFact disk) => Check.Of($"disk {disk.Path}", disk.FreeBytes >= NeededDisk,
        $"{MiB(disk.FreeBytes)} free of {MiB(disk.TotalBytes)} on {disk.Mount}", $"{MiB(NeededDisk)} free", "Make room, for example: docker image prune; then look at the largest folders with du -xh / | sort -h | tail") with { Mendable = true };

    /// <summary>Two products, or two registrations, that manage one host would undo each other's work.</summary>
    private async Task<Check> Owner(IHost host, HostFacts facts, PreflightInput input, CancellationToken cancellationToken)
    {
        var layout = HostLayout.Of(host);
        // The folder is root's own; without root nothing can be installed anyway.
        var found = facts.UserId == 0 || layout.Login.Kind == LoginKind.Docker ? await host.ReadFile(layout.AgentConfiguration, cancellationToken: cancellationToken) : null;
        var (id, api) = found is null ? (null, null) : InstallAgent.OwnerIn(found);
        if (id != input.ServerId.ToString() && Guid.TryParse(id, out var former))
        {
            if (await servers.NameOf(former, cancellationToken) is { } name)
            {
                return Check.Of("owner", false, $"managed as the server '{name}' of this product", "a host that no other server manages",
                    $"Work with '{name}', and remove this server here. Or uninstall '{name}' first: msctl servers uninstall {id}");
            }

            if (Uri.TryCreate(api, UriKind.Absolute, out var reports) && reports == input.ApiAddress)
            {
                return Check.Of("owner", true, $"managed as server {id}, which was removed from this product", "a host that no other server manages", "");
            }
        }

        if (found is null && facts.DockerServerVersion is not null && await Elsewhere(host, layout, cancellationToken) is { } elsewhere)
        {
            return Check.Of("owner", false, elsewhere, "a host that no other server manages",
                "Uninstall as the login that has installed it, then install as this one. What no product knows any more, root removes by hand: the container, and the folder that it works in.");
        }

        var own = found is null || id == input.ServerId.ToString();
        return Check.Of("owner", own, found is null ? "managed by nobody" : own ? "managed as this server" : $"managed as server {id ?? "?"} of the product at {api ?? "?"}", "a host that no other server manages",
            $"Remove server {id ?? "?"} in that product first. Then, or when that product is gone, take what it left away from {host.Target}: "
            + $"python3 {layout.AgentScript} uninstall; docker rm -f {string.Join(' ', Component.All.Select(Component.ContainerName))}; rm -rf {layout.Root}");
    }

    /// <summary>The names of containers are the same for every login of a host; their folders are not.</summary>
    private static async Task<string?> Elsewhere(IHost host, HostLayout layout, CancellationToken cancellationToken)
    {
        foreach (var name in Component.All.Select(Component.ContainerName))
        {
            if (await host.Docker.FindContainer(name, cancellationToken) is { } found && found.Binds.FirstOrDefault(b => !b.StartsWith($"{layout.Root}/", StringComparison.Ordinal)) is { } bind)
            {
                return $"the container {name}, which works in {bind.Split(':')[0]} and not below {layout.Root}";
            }
        }

        return null;
    }

    private static Check? Address(ListenRequest listen, HostFacts facts)
    {
        var wanted = IPAddress.Parse(listen.Address!);
        var possible = IsAny(wanted) || IPAddress.IsLoopback(wanted) || facts.Addresses.Count == 0 || facts.Addresses.Contains(wanted.ToString());
        return possible ? null : new Check($"address {listen.Address}", false, $"the host has only {string.Join(", ", facts.Addresses)}", $"{listen.Address} on the host",
            "Let DNS listen on one of the host's own addresses, or give the host this one.");
    }

    /// <param name="isOwn">Of this server's own container.</param>
    private static Check Port(ListenRequest listen, HostFacts facts, Func<ListeningPort, bool> isOwn, string service, LoginKind login)
    {
        var wanted = IPAddress.Parse(listen.Address!);
        var takers = facts.Listening.Where(l => l.Port == listen.Port && Overlap(wanted, IPAddress.Parse(l.Address))).ToList();
        var taken = takers.Find(l => !isOwn(l));
        var where = $"{listen.Address} port {listen.Port}";
        var check = Check.Of($"port {listen.Port}", taken is null,
            taken is not null ? $"{taken.Protocol} {taken.Address} port {taken.Port} taken by {taken.Process ?? "another program"}"
                : takers.Count > 0 ? $"{where} is held by this server's own {service}" : $"{where} is free", $"{where} free",
            taken?.Process?.StartsWith("systemd-resolve", StringComparison.Ordinal) == true
                ? SystemChecks.FreeFromResolved(facts.Addresses)
                : $"Stop that program (ss -lunpt 'sport = :{listen.Port}' shows it){(service == "DNS" ? ", or let DNS listen on another address or port" : "")}.") with { Mendable = true };
        return taken is not null && login == LoginKind.Docker ? check with { RootStep = true, Fix = FreePort(taken) } : check;
    }

    // systemd-resolved has an address of its own; of any other program root must see for himself which it is.
    private static string FreePort(ListeningPort taken) => taken.Port == 53 && taken.Address is "127.0.0.53" or "127.0.0.54"
        ? SystemChecks.SwitchOffResolved
        : $"ss -Hlnp{taken.Protocol[0]} 'sport = :{taken.Port}'   # shows who has the port: stop and disable it, for example with systemctl disable --now NAME";

    /// <summary>What would start the agent at boot, as the agent's own installation will choose it.</summary>
    private static async Task<Check> AtBoot(IHost host, CancellationToken cancellationToken)
    {
        const string Load = "import sys; exec(compile(sys.stdin.read(), '/dev/stdin', 'exec'), {'__name__': '__main__', '__file__': '/dev/stdin'})";
        using var script = new MemoryStream(PayloadFiles.AgentScript);
        var said = (await host.Run(["python3", "-I", "-c", Load, "probe"], new CommandOptions { Stdin = script }, cancellationToken)).Check();
        var probe = System.Text.Json.JsonSerializer.Deserialize<BootProbe>(said.Stdout, EngineJson.Options)!;
        var check = Check.Of("agent at boot", probe.RootStep is null, probe.Supervision == "none" ? "nothing on this host starts what a user wants started" : $"{probe.Supervision} of {host.Target.User}",
            "something that starts it", probe.RootStep ?? "");
        return check with { RootStep = !check.Ok };
    }

    private sealed record BootProbe(string Supervision, string? RootStep);

    private static bool Overlap(IPAddress wanted, IPAddress taken) =>
        wanted.Equals(taken)
        || (wanted.AddressFamily == taken.AddressFamily && (IsAny(wanted) || IsAny(taken)))
        || (taken.Equals(IPAddress.IPv6Any) && wanted.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork);

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <returns>Null where there is no Python to try it with.</returns>
    private async Task<Reachability?> Reach(IHost host, Uri api, CancellationToken cancellationToken)
    {
        try
        {
            return await host.CanReach(new Uri(api, "/healthz"), payload.AuthorityPem, cancellationToken);
        }
        catch (HostRejectedException e) when (e.Code == HostProblem.PythonMissing)
        {
            return null;
        }
    }

    private static Check ApiAddress(Uri api, Reachability? reached)
    {
        if (reached is null)
        {
            return Check.Of("product's address", false, "not tried, because there is no python3", $"{api} reachable from the host", "Install Python first.");
        }

        return Check.Of("product's address", reached.Reached, reached.Reached ? $"{api} answers" : $"{api}: {reached.Why}", $"{api} reachable from the host",
            "Open the way from the host to the product, or give the server another address of the product: msctl servers edit NAME --api-address https://…");
    }

    private static string MiB(long bytes) => (bytes / 1024 / 1024).ToString("N0", CultureInfo.InvariantCulture) + " MiB";
}
