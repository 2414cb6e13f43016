namespace ManagedServers.Dashboard.Tests;

/// <summary>Every page with something on it: for the test of widths and for the pictures.</summary>
public sealed record Stage(IReadOnlyList<(string Name, string Path, string Ready)> Pages)
{
    public static async Task<Stage> Set(RunningProduct product)
    {
        var suffix = Guid.NewGuid().ToString("n")[..4];
        var busy = await product.Hosts.Add($"ns1-{suffix}.example.org", "dns", "monitor");
        await product.Hosts.Beat(busy, 4, "dns", "monitor");
        await product.Hosts.Measured(busy);
        await product.Hosts.Counted(busy);
        await product.Hosts.Hit(busy, 4_016, ("www.example.org.", "A", 18_230), ("www.example.org.", "AAAA", 9_112), ("mail.example.org.", "MX", 734), ("_sip._tcp.a-rather-long-name-of-a-service.example.org.", "SRV", 12), ("example.org.", "SOA", 3));
        var stopped = await product.Hosts.Add($"ns2-{suffix}.example.org", "dns", "monitor");
        await product.Hosts.Beat(stopped, 3, "monitor");
        var silent = await product.Hosts.Add($"resolver-with-a-long-name-in-the-basement-{suffix}", "dns", "monitor");
        await product.Hosts.Beat(silent, 4, "dns", "monitor");
        await product.Hosts.Age(silent, TimeSpan.FromMinutes(12));
        var unheard = await product.Hosts.Add($"ns3-{suffix}.example.org", "dns");
        await product.Hosts.Age(unheard, TimeSpan.FromMinutes(12));
        await product.Hosts.Add($"ns7-{suffix}.example.org", "dns");
        var fresh = await product.Hosts.Add($"ns4-{suffix}.example.org");
        var installing = await product.Hosts.Add($"ns5-{suffix}.example.org");
        var failed = await product.Hosts.Add($"ns6-{suffix}.example.org");

        var drifted = await product.Hosts.Add($"ns8-{suffix}.example.org", "dns", "monitor");
        await product.Hosts.Docker(drifted);
        await product.Hosts.Beat(drifted, 4, "dns", "monitor");
        await product.Hosts.Drift(drifted, "The zone example.org is served with the serial 2026112601, and 2026112602 was asked for.", "The container managed-servers-dns has a memory limit of 512 MiB, and 256 MiB were asked for.");
        var serving = await product.Hosts.Add($"ns9-{suffix}.example.org", "dns", "monitor");
        await product.Hosts.Beat(serving, 4, "dns", "monitor");

        var done = await product.Rehearse(Done($"install dns and monitor on ns1-{suffix}.example.org"), busy);
        var live = await product.Rehearse(Live($"install dns and monitor on ns5-{suffix}.example.org", $"gate-{suffix}"), installing);
        var paused = await product.Rehearse(Paused($"install dns and monitor on ns6-{suffix}.example.org"), failed);
        await product.Hosts.LastRun(busy, done);
        await product.Hosts.LastRun(installing, live);
        await product.Hosts.LastRun(failed, paused);
        await product.Hosts.LastRun(serving, await product.Rehearse(Paused($"install dns and monitor on ns9-{suffix}.example.org"), serving));
        var root = await product.Rehearse(Root($"install dns and monitor on ns8-{suffix}.example.org"), drifted);
        return new Stage(
        [
            ("servers", "/servers", "Installing"),
            ("server", $"/servers/{busy}", "covered"),
            ("server-new", $"/servers/{fresh}", "No heartbeat has come yet"),
            ("server-silent", $"/servers/{silent}", "SHA256:"),
            ("server-drifted", $"/servers/{drifted}", "memory limit"),
            ("server-serving", $"/servers/{serving}", "Its last run is paused"),
            ("run-root", $"/runs/{root}", "Root must do this"),
            ("runs", "/runs", "Install dns and monitor"),
            ("run-live", $"/runs/{live}", "4.2 of 8.1 MB"),
            ("run-paused", $"/runs/{paused}", "Retry…"),
            ("run-done", $"/runs/{done}", "answered over UDP and TCP"),
            ("add-server", "/servers/add", "Read the host's key"),
            ("install", $"/servers/{fresh}/install", "Add a zone"),
            ("not-found", "/no/such/page", "There is no such page"),
        ]);
    }

    public string Path(string name) => Pages.First(p => p.Name == name).Path;

    private static Rehearsal Done(string title) => new(title,
    [
        new Part { Title = "Check the host", Says = ["Debian GNU/Linux 12 (bookworm), x86_64", "Python 3.11.2, Docker 20.10.24", "port 53 is free"], Unchanged = "every check passed" },
        new Part { Title = "Upload the image managed-servers/knot:3.2.6-1f2e3d4c5b6a", Says = ["sending 8.1 MB"], Changed = "loaded 8.1 MB" },
        new Part { Title = "Start Knot DNS", Says = ["container managed-servers-dns is created and started"], Changed = "started the container managed-servers-dns" },
        new Part { Title = "Ask for every zone from outside, over UDP and TCP", Says = ["example.org. SOA 1 over UDP", "example.org. SOA 1 over TCP"], Unchanged = "1 zone answered over UDP and TCP" },
    ]);

    private static Rehearsal Live(string title, string gate) => new(title,
    [
        new Part { Title = "Check the host", Says = ["Debian GNU/Linux 12 (bookworm), x86_64", "Python 3.11.2, Docker 20.10.24"], Warns = "the clock is 3.2 s behind the product's", Unchanged = "every check passed" },
        new Part { Title = "Make the product's folders on the host", Changed = "made 6 folders" },
        new Part { Title = "Upload the image managed-servers/knot:3.2.6-1f2e3d4c5b6a", Says = ["the host does not have it yet", "sending 8.1 MB"], Progress = 0.52, Note = "4.2 of 8.1 MB", Gate = gate, Changed = "loaded 8.1 MB" },
        new Part { Title = "Write the configuration and zones aside" },
        new Part { Title = "Start Knot DNS" },
        new Part { Title = "Wait for the first heartbeat" },
    ]);

    private static Rehearsal Root(string title) => new(title,
    [
        new Part { Title = "Check the host", Unchanged = "every check passed, but for what only root can do" },
        new Part
        {
            Title = "See whether root has to do something first",
            Says = ["To be done as root on the host, each line as it stands:", "# port 53: 127.0.0.53:53 taken by systemd-resolved", "mkdir -p /etc/systemd/resolved.conf.d && printf '[Resolve]\\nDNSStubListener=no\\n' > /etc/systemd/resolved.conf.d/managed-servers.conf && systemctl restart systemd-resolved"],
            FailsWith = "Root must do this on ns8 (192.0.2.10), where ops never becomes root: mkdir -p /etc/systemd/resolved.conf.d && printf '[Resolve]\\nDNSStubListener=no\\n' > /etc/systemd/resolved.conf.d/managed-servers.conf && systemctl restart systemd-resolved "
                + "(because of port 53: 127.0.0.53:53 taken by systemd-resolved). The run goes on by itself when it is done, and at once with: msctl runs retry 01a21904-1ef1-726b-b54d-d260499453c6",
            Retried = true,
        },
        new Part { Title = "Make the product's folders on the host" },
    ]);

    private static Rehearsal Paused(string title) => new(title,
    [
        new Part { Title = "Check the host", Unchanged = "every check passed" },
        new Part { Title = "Post-command: open the firewall", Says = ["+ ufw allow 53"], Warns = "ufw: ERROR: Could not find a profile matching 'dns'", FailsWith = "The command 'open the firewall' on ns6 (192.0.2.16:22) ended with exit code 1. It said: ERROR: Could not find a profile matching 'dns'. Correct the command or the host, then retry; or skip it." },
        new Part { Title = "Record what the server has" },
    ]);
}
