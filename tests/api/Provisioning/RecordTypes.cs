using System.Diagnostics;

namespace ManagedServers.Tests.Provisioning;

/// <summary>A record of every type that operators use, and what kdig, a client that the product does not know, is answered.</summary>
internal static class RecordTypes
{
    private static readonly string Digest = string.Concat(Enumerable.Repeat("AB", 32));

    private static readonly (string Name, string Type, string Data, string Answer)[] All =
    [
        ("", "SOA", "", "ns1.example.org. hostmaster.example.org. 2 3600 900 604800 300"),
        ("", "NS", "", "ns1.example.org."),
        ("www", "A", "", "192.0.2.77"),
        ("www", "AAAA", "", "2001:db8::2"),
        ("", "MX", "10 mail.example.net.", ""),
        ("txt", "TXT", """ "v=spf1 -all" "it's; \"quoted\" \\ $(id)" """, ""),
        ("alias", "CNAME", "www", "www.example.org."),
        ("_sip._udp", "SRV", "10 20 5060 sip.example.net.", ""),
        ("", "CAA", """0 issue "ca.example.net" """, ""),
        ("ptr", "PTR", "www", "www.example.org."),
        ("child", "NS", "ns.example.net.", ""),
        ("child", "DS", $"12345 8 2 {Digest}", ""),
        ("_443._tcp.www", "TLSA", $"3 1 1 {Digest}", ""),
        ("www", "SSHFP", $"4 2 {Digest}", ""),
        ("naptr", "NAPTR", """100 10 "u" "E2U+sip" "!^.*$!sip:info@example.org!" .""", ""),
        ("old", "DNAME", "example.net.", ""),
        ("host", "HINFO", """ "PC" "Linux" """, ""),
        ("uri", "URI", """10 1 "https://www.example.org/" """, ""),
        ("svc", "SVCB", "1 svc.example.net. alpn=h2", ""),
        ("www", "HTTPS", """1 . alpn="h2,h3" """, "1 . alpn=h2,h3"),
        ("place", "LOC", "47 22 0 N  8 33 0 E  400m  1m 100m 10m", ""),
        ("rp", "RP", "hostmaster txt", "hostmaster.example.org. txt.example.org."),
    ];

    /// <summary>To be added to <see cref="RegisteredHost.Zone"/>, changed as <see cref="InstallTests"/> changes it.</summary>
    public static string Lines => string.Join('\n', All.Where(r => r.Data.Length > 0).Select(r => $"{(r.Name.Length == 0 ? "@" : r.Name)} {r.Type} {r.Data.Trim()}")) + "\n";

    public static async Task AreAnsweredToKdig(string address)
    {
        foreach (var (name, type, data, answer) in All.Where(r => (r.Name, r.Type) != ("child", "NS"))) // a referral: its answer is elsewhere
        {
            using var kdig = Process.Start(new ProcessStartInfo("kdig", [$"@{address}", $"{name}.example.org.".TrimStart('.'), type, "+short", "+norec", "+timeout=3", "+retry=3"]) { RedirectStandardOutput = true })!;
            var said = await kdig.StandardOutput.ReadToEndAsync();
            Assert.True(said.Trim() == (answer.Length > 0 ? answer : data.Trim()), $"{name} {type}: {said}");
        }
    }
}
