using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Renci.SshNet;

namespace ManagedServers.Lab.Tests;

public sealed class ImageTests
{
    private const string Configuration = """
        server:
            user: root:root
            listen: 127.0.0.1@53
            rundir: /run/knot
        mod-stats:
          - id: default
        mod-dnstap:
          - id: default
            sink: unix:/run/tap/tap.sock
        template:
          - id: default
            storage: /etc/knot
            global-module: [mod-stats/default, mod-dnstap/default]
        zone:
          - domain: example.org
        """;

    private const string Limits =
        "--network host --read-only --cap-drop ALL --cap-add NET_BIND_SERVICE --security-opt no-new-privileges --memory 128m " +
        "--tmpfs /tmp -v /srv/knot:/etc/knot:ro -v /srv/data:/var/lib/knot -v /srv/run:/run/knot -v /srv/tap:/run/tap";

    private const string ReadStatistics = """
        import time
        from libknot.control import KnotCtl
        knot = KnotCtl()
        for attempt in range(100):
            try:
                knot.connect("/run/knot/knot.sock")
                break
            except Exception:
                time.sleep(0.1)
        knot.send_block(cmd="stats")
        print(knot.receive_stats())
        """;

    [Fact]
    public async Task Knot_and_the_monitor_start_on_a_host_with_a_read_only_root_and_no_capabilities()
    {
        await using var host = await LabHost.Start(new LabOptions
        {
            Setup = $"""
                mkdir -p /srv/knot /srv/data /srv/run /srv/tap
                printf '%s\n' {LabSetup.Quote(Configuration)} > /srv/knot/knot.conf
                printf '$TTL 60\n@ SOA ns h 7 60 60 60 60\n NS ns\nns A 192.0.2.1\n' > /srv/knot/example.org.zone
                """,
        });
        foreach (var archive in new[] { "knot", "monitor" })
            await Load(host, archive);

        var knot = LabImages.Name("dns");
        await host.Run($"docker run --rm {Limits} --entrypoint knotc {knot} -c /etc/knot/knot.conf conf-check");
        await host.Run($"docker run --rm {Limits} --entrypoint kzonecheck {knot} -o example.org /etc/knot/example.org.zone");
        await host.Run($"docker run -d --name knot {Limits} {knot}");
        var stats = await host.Run($"docker run --rm {Limits} --entrypoint python3 {LabImages.Name("monitor")} -c {LabSetup.Quote(ReadStatistics)}");

        Assert.Contains("zone-count", stats, StringComparison.Ordinal);
        Assert.Equal("true", await host.Run("docker inspect -f '{{.State.Running}}' knot"));
    }

    [Theory]
    [InlineData("dns")]
    [InlineData("monitor")]
    public void A_payload_manifest_names_its_archive_and_stays_small(string component)
    {
        using var manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(LabImages.Folder, component + ".json")));
        var root = manifest.RootElement;
        var archive = new FileInfo(Path.Combine(LabImages.Folder, root.GetProperty("archive").GetString()!));

        Assert.Equal(component, root.GetProperty("component").GetString());
        Assert.Equal(archive.Length, root.GetProperty("size").GetInt64());
        Assert.True(archive.Length < 16_000_000, $"{archive.Name} has {archive.Length} bytes");
        Assert.EndsWith($"{root.GetProperty("version")}-{root.GetProperty("digest").GetString()![..12]}", root.GetProperty("image").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_inputs_give_the_same_archive_byte_for_byte()
    {
        var again = Directory.CreateTempSubdirectory("images-");
        try
        {
            // All images share a tree of packages; those that are there need no work, so only Knot's is made again.
            Directory.CreateDirectory(Path.Combine(again.FullName, "cache"));
            foreach (var name in new[] { "monitor.json", "monitor.tar.gz", "test-postgres.json", "cache/test-postgres.tar" })
                File.CreateSymbolicLink(Path.Combine(again.FullName, name), Path.Combine(LabImages.Folder, name));
            string[] images = ["workflows/Payload/images/knot", "workflows/Payload/images/monitor", "tests/lab/images/test-postgres"];
            var builder = Path.Combine(LabImages.Repository, "workflows/Payload/images/build.py");
            using var process = Process.Start(builder,
                ["--into", again.FullName, "--trees", Path.Combine(LabImages.Folder, "trees"),
                    .. images.Select(image => Path.Combine(LabImages.Repository, image))]);
            await process.WaitForExitAsync();

            Assert.Equal(0, process.ExitCode);
            Assert.Equal(await Sha256(LabImages.Folder), await Sha256(again.FullName));
        }
        finally
        {
            again.Delete(recursive: true);
        }
    }

    private static async Task<string> Sha256(string folder)
    {
        await using var file = File.OpenRead(Path.Combine(folder, "knot.tar.gz"));
        return Convert.ToHexString(await SHA256.HashDataAsync(file));
    }

    private static async Task Load(LabHost host, string archive)
    {
        var path = Path.Combine(LabImages.Folder, archive + ".tar.gz");
        using var client = new SshClient(host.Address, "root", host.RootPassword);
        client.Connect();
        using var load = client.CreateCommand("docker load");
        var ended = load.ExecuteAsync();
        await using (var input = load.CreateInputStream())
        await using (var file = File.OpenRead(path))
            await file.CopyToAsync(input);
        await ended;
        Assert.Equal(0, load.ExitStatus);
    }
}
