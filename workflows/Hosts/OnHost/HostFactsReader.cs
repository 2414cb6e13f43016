using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace ManagedServers.Workflows.Hosts.OnHost;

/// <summary>Asks a host what it is, in one round trip, with nothing but sh, coreutils, awk and /proc.</summary>
internal sealed partial class HostFactsReader(CommandRunner runner, HostTarget target, TimeProvider time)
{
    // One "key value" a line; what is missing is left out. What a host answers is only ever parsed.
    private const string Script = """
        LC_ALL=C; export LC_ALL
        [ ! -r /etc/os-release ] || sed -n 's/^\(ID\|ID_LIKE\|VERSION_ID\|PRETTY_NAME\)=/os.\1 /p' /etc/os-release
        echo "arch $(uname -m)"; echo "kernel $(uname -r)"; echo "host $(uname -n)"; echo "uid $(id -u)"
        for p in python3 /usr/libexec/platform-python; do
          v=$("$p" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) && echo "python $v" && break
        done
        if command -v docker >/dev/null 2>&1; then
          v=$(timeout 20 docker version --format '{{.Client.Version}} {{if .Server}}{{.Server.Version}}{{end}}' 2>&1); rc=$?
          echo "docker $(echo "$v" | head -n 1)"
          [ $rc -eq 0 ] || echo "dockerproblem $(echo "$v" | grep -i -m 1 -e 'permission denied' -e 'cannot connect' || echo "$v" | sed 1d | tail -n 1)"
          case $(docker --version 2>&1) in *[Pp]odman*) echo "podman 1";; esac
        fi
        for d in "$@"; do
          e=$d; while [ ! -e "$e" ]; do e=${e%/*}; [ -n "$e" ] || e=/; done
          if [ ! -d "$e" ]; then echo "unusable $d	$e is no folder"; elif [ ! -w "$e" ]; then echo "unusable $d	$e cannot be written to: its file system is read-only, or the user may not"; fi
          echo "disk $d	$(df -Pk "$e" | awk 'NR==2 { m=$6; for (i=7; i<=NF; i++) m=m " " $i; print $2 "\t" $4 "\t" m }')"
        done
        sed -n 's/^\(MemTotal\|MemAvailable\): *\([0-9]*\) kB/\1 \2/p' /proc/meminfo
        ls -l /proc/[0-9]*/fd 2>/dev/null | awk '
          FILENAME != "-" { n=split(FILENAME, f, "/"); if (FNR>1 && ((f[n] ~ /^tcp/ && $4=="0A") || (f[n] ~ /^udp/ && $4=="07"))) { print "port " f[n] " " $2 " " $10; want[$10]=1 }; next }
          /^\/proc\// { split($1, p, "/"); pid=p[3]; next }
          match($0, /socket:\[[0-9]+\]$/) { i=substr($0, RSTART+8, RLENGTH-9); if (i in want) { c="/proc/" pid "/comm"; if ((getline name < c) > 0) print "owner " i " " name; close(c) } }
        ' $(for f in udp udp6 tcp tcp6; do [ ! -r /proc/net/$f ] || echo /proc/net/$f; done) -
        [ ! -r /proc/net/fib_trie ] || awk '$1 == "|--" { a=$2 } $1 == "/32" && $3 == "LOCAL" && !(a in seen) { seen[a]=1; print "address " a }' /proc/net/fib_trie
        [ ! -r /proc/net/if_inet6 ] || awk '{ print "address6 " $1 }' /proc/net/if_inet6
        [ ! -r /proc/net/route ] || for i in $(awk 'NR > 1 { print $1 }' /proc/net/route | sort -u); do echo "interface $i $(cat "/sys/class/net/$i/operstate" 2>/dev/null)"; done
        [ ! -d /run/systemd/system ] || echo "systemd 1"
        if [ -r /sys/fs/selinux/enforce ]; then echo "selinux $(cat /sys/fs/selinux/enforce)"; elif [ -e /etc/selinux/config ]; then echo "selinux off"; fi
        if command -v firewall-cmd >/dev/null 2>&1 && { [ -e /run/firewalld.pid ] || firewall-cmd --state >/dev/null 2>&1; }; then
          echo "firewall firewalld"
          o=$(timeout 20 firewall-cmd --list-services 2>/dev/null) && o="$o $(timeout 20 firewall-cmd --list-ports 2>/dev/null)" && echo "opened $o"
        elif command -v ufw >/dev/null 2>&1 && u=$(timeout 20 ufw status 2>/dev/null) && [ "${u#Status: active}" != "$u" ]; then
          echo "firewall ufw"; echo "opened $(echo "$u" | awk '$2 == "ALLOW" { printf "%s ", $1 }')"
        fi
        echo "clock $(date +%s.%N)"
        """;

    [GeneratedRegex("^(docker0|br-[0-9a-f]{12}|veth.*)$")]
    private static partial Regex DockersOwn { get; }

    public async Task<HostFacts> Read(IReadOnlyList<string> diskPaths, CancellationToken cancellationToken)
    {
        var what = $"reading the facts of {target}";
        // The clock is read when the line with it arrives, which is half a round trip after the host read its own.
        var arrived = DateTimeOffset.MinValue;
        var options = new CommandOptions { Timeout = TimeSpan.FromSeconds(60), OnLine = _ => arrived = time.GetUtcNow() };
        var raw = await runner.RunScript(Script, [.. diskPaths.Select(p => p == "/" ? p : RemotePath.Check(p))], options, what, cancellationToken);
        return Parse(raw.Output.Text, arrived, diskPaths);
    }

    internal static HostFacts Parse(string text, DateTimeOffset arrived, IReadOnlyList<string> diskPaths)
    {
        var lines = text.Split('\n').Select(l => l.Split(' ', 2)).Where(l => l.Length == 2).ToLookup(l => l[0], l => l[1].Trim());
        string? One(string key) => lines[key].FirstOrDefault(v => v.Length > 0);
        var docker = One("docker")?.Split(' ');
        var clock = double.TryParse(One("clock")?.TrimEnd('N', '%', '.'), CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 1e11
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) : arrived;
        return new HostFacts
        {
            OsId = Unquoted(One("os.ID")),
            OsLike = Unquoted(One("os.ID_LIKE")),
            OsVersion = Unquoted(One("os.VERSION_ID")),
            OsName = Unquoted(One("os.PRETTY_NAME")),
            Architecture = One("arch") ?? "",
            Kernel = One("kernel") ?? "",
            HostName = One("host") ?? "",
            UserId = (int)Number(One("uid"), -1),
            PythonVersion = One("python"),
            DockerClientVersion = docker?[0],
            DockerServerVersion = docker is [_, { Length: > 0 } server, ..] ? server : null,
            DockerProblem = One("dockerproblem"),
            DockerIsPodman = One("podman") is not null,
            Disks = [.. lines["disk"].Select(Disk).OfType<DiskFact>().Where(d => diskPaths.Contains(d.Path))],
            Unusable = lines["unusable"].Select(l => l.Split('\t')).Where(l => l.Length == 2 && diskPaths.Contains(l[0])).DistinctBy(l => l[0]).ToDictionary(l => l[0], l => l[1]),
            MemoryTotalBytes = Number(One("MemTotal")) * 1024,
            MemoryAvailableBytes = Number(One("MemAvailable")) * 1024,
            Listening = Ports(lines["port"], lines["owner"]),
            Addresses = [.. lines["address"].Select(IPv4).Concat(lines["address6"].Select(IPv6)).OfType<string>().Distinct()],
            Interfaces = [.. lines["interface"].Select(Interface).OfType<string>()],
            Clock = clock,
            ClockOffset = clock - arrived,
            HasSystemd = One("systemd") is not null,
            SELinux = One("selinux") switch { null => null, "1" => "enforcing", "0" => "permissive", _ => "disabled" },
            Firewall = One("firewall"),
            FirewallOpens = lines["opened"].FirstOrDefault()?.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        };
    }

    private static List<ListeningPort> Ports(IEnumerable<string> ports, IEnumerable<string> owners)
    {
        var names = new Dictionary<string, string>();
        foreach (var owner in owners.Select(o => o.Split(' ', 2)).Where(o => o.Length == 2))
        {
            names.TryAdd(owner[0], owner[1]);
        }

        return [.. ports.Select(p => Port(p.Split(' '), names)).OfType<ListeningPort>().Distinct()];
    }

    private static ListeningPort? Port(string[] fields, Dictionary<string, string> names)
    {
        if (fields is not [var protocol, var local, var inode] || local.Split(':') is not [{ Length: 8 or 32 } address, { Length: 4 } port])
        {
            return null;
        }

        try
        {
            // The kernel prints each 32-bit word in its own byte order: little-endian on all that we run on.
            var words = Convert.FromHexString(address);
            for (var at = 0; at < words.Length; at += 4)
            {
                Array.Reverse(words, at, 4);
            }

            return new ListeningPort(protocol[..3], new IPAddress(words).ToString(), int.Parse(port, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), names.GetValueOrDefault(inode));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    // What has no state of its own, such as a dummy, is up. Docker calls its bridges docker0 and br-, followed by the network's id.
    private static string? Interface(string text) => text.Split(' ') is [{ Length: > 0 and < 16 } name, "up" or "unknown"] && !DockersOwn.IsMatch(name) ? name : null;

    private static string? IPv4(string text) => text.Count(c => c == '.') == 3 && IPAddress.TryParse(text, out var address) ? address.ToString() : null;

    private static string? IPv6(string hex) => hex.Length == 32 && hex.All(char.IsAsciiHexDigit) ? new IPAddress(Convert.FromHexString(hex)).ToString() : null;

    private static DiskFact? Disk(string line) => line.Split('\t') is [var asked, var total, var free, var mount]
        ? new DiskFact(asked, mount, Number(total) * 1024, Number(free) * 1024)
        : null;

    private static string Unquoted(string? value) => value?.Trim('"', '\'') ?? "";

    private static long Number(string? text, long otherwise = 0) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
