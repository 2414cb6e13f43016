using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Drift;

/// <summary>What a host has and runs, read in one round trip that changes nothing.</summary>
internal sealed record HostState
{
    // The folders with the names that components look for in them, the containers and the sockets come on standard input.
    private const string Script =
        """
        import hashlib, json, os, socket, subprocess, sys
        asked = json.load(sys.stdin)

        def link(path):
            return os.readlink(path) if os.path.islink(path) else "a folder" if os.path.isdir(path) else "a file" if os.path.exists(path) else None

        def configuration(folder, names):
            top, files, whole = os.path.realpath(os.path.join(folder, "current")), {}, hashlib.sha256()
            for at, folders, found in os.walk(top):
                for name in found + [f for f in folders if os.path.islink(os.path.join(at, f))]:
                    path = os.path.join(at, name)
                    files[os.path.relpath(path, top)] = open(path, "rb").read() if os.path.isfile(path) and not os.path.islink(path) else b""
            for name in sorted(files):
                whole.update(("%s\0%d\0" % (name, len(files[name]))).encode())
                whole.update(files[name])
            return {"current": link(os.path.join(folder, "current")), "links": {name: link(os.path.join(folder, name)) for name in names},
                    "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}, "digest": whole.hexdigest()[:16]}

        def call(*argv):
            return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)

        def kea(path):
            try:
                with socket.socket(socket.AF_UNIX) as way:
                    way.settimeout(20)
                    way.connect(path)
                    way.sendall(b'{"command":"config-get"}')
                    way.shutdown(socket.SHUT_WR)
                    return json.loads(way.makefile("rb").read().decode())["arguments"]["Dhcp4"].get("user-context", {})
            except (OSError, ValueError, KeyError):
                return None

        def context(path):
            try:
                return json.loads(open(path, "rb").read().decode())["Dhcp4"].get("user-context", {})
            except (OSError, ValueError, KeyError, AttributeError):
                return None

        state = {"configurations": {c: configuration(f["folder"], f["names"]) for c, f in asked["configurations"].items()}, "containers": {}, "serials": None, "runningMark": None, "fileMark": None}
        docker = call("docker", "inspect", "--type", "container", *asked["containers"])
        said = [line for line in docker.stderr.decode("utf-8", "replace").splitlines() if "no such" not in line.lower()]
        state["dockerProblem"] = " ".join(said)[:500] if docker.returncode and said else None
        for container in json.loads(docker.stdout.decode() or "[]"):
            state["containers"][container["Name"].lstrip("/")] = {"status": container["State"]["Status"], "image": container["Config"]["Image"], "labels": container["Config"].get("Labels") or {}}
        if state["containers"].get(asked.get("knot"), {}).get("status") == "running":
            zones = call("docker", "exec", asked["knot"], "/usr/sbin/knotc", "-s", asked["knotSocket"], "zone-status", "+serial")
            if zones.returncode == 0:
                words = [line.split() for line in zones.stdout.decode("utf-8", "replace").splitlines()]
                state["serials"] = {w[0].strip("[]").rstrip("."): int(w[-1]) for w in words if len(w) > 1 and w[-1].isdigit()}
        if state["containers"].get(asked.get("kea"), {}).get("status") == "running":
            state["runningMark"], state["fileMark"] = kea(asked["keaSocket"]), context(asked["keaFile"])
        print(json.dumps(state))
        """;

    public required IReadOnlyDictionary<string, ConfigurationState> Configurations { get; init; }
    public required IReadOnlyDictionary<string, ContainerState> Containers { get; init; }

    /// <summary>Docker gave no answer about containers.</summary>
    public string? DockerProblem { get; init; }

    /// <summary>Of every zone that Knot has loaded; null when it does not run or does not answer.</summary>
    public IReadOnlyDictionary<string, long>? Serials { get; init; }

    /// <summary>The user context of the running Kea; null when it does not run or does not answer.</summary>
    public JsonElement? RunningMark { get; init; }

    /// <summary>The user context in Kea's file.</summary>
    public JsonElement? FileMark { get; init; }

    public static async Task<HostState> Read(IHost host, IReadOnlyList<string> components, CancellationToken cancellationToken)
    {
        var layout = HostLayout.Of(host);
        using var asked = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(new
        {
            configurations = Component.Serving.Where(components.Contains).ToDictionary(c => c, c => new { folder = layout.Config(c), names = CurrentConfiguration.Names(c) }),
            containers = components.Select(Component.ContainerName),
            knot = components.Contains(Component.Dns) ? Component.ContainerName(Component.Dns) : null, knotSocket = KnotConfiguration.ControlSocket,
            kea = components.Contains(Component.Dhcp) ? Component.ContainerName(Component.Dhcp) : null,
            keaSocket = $"{layout.Sockets(Component.Dhcp)}/{Path.GetFileName(KeaConfiguration.ControlSocket)}", keaFile = $"{layout.Config(Component.Dhcp)}/{KeaConfiguration.FileName}",
        }, EngineJson.Options));
        var said = (await host.Run(["python3", "-c", Script], new CommandOptions { Stdin = asked, OutputLimit = 16 << 20 }, cancellationToken)).Check();
        return JsonSerializer.Deserialize<HostState>(said.Stdout, EngineJson.Options)!;
    }
}

/// <param name="Current">The link's target, or what stands in its place; null for nothing.</param>
/// <param name="Files">Hashes of the current configuration's files; null where a host that reports by itself has not told them.</param>
/// <param name="Digest">Of all of them, as the product reckons it; null where there are too many.</param>
internal sealed record ConfigurationState(string? Current, IReadOnlyDictionary<string, string?> Links, IReadOnlyDictionary<string, string>? Files, string? Digest);

internal sealed record ContainerState(string Status, string Image, IReadOnlyDictionary<string, string> Labels);
