using System.Diagnostics;
using System.Net;
using System.Text;
using ManagedServers.Tests;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Hosts.Docker;
using ManagedServers.Workflows.Hosts.OnHost;
using ManagedServers.Workflows.Hosts.Ssh;
using ManagedServers.Workflows.Servers;
using Xunit.Abstractions;

namespace ManagedServers.Workflows.Tests.Hosts;

/// <summary>Whatever an operator enters and whatever a host answers stays a value: 10,000 of them, here and in the fuzzing of configurations and of the terminal.</summary>
[Trait("Category", "Matrix")]
public sealed class FuzzTests : IDisposable
{
    private const string Marker = "managed-servers-test";
    private readonly Nasty nasty = new();
    private readonly string folder = Directory.CreateTempSubdirectory("fuzz-").FullName;

    public FuzzTests(ITestOutputHelper output) => output.WriteLine($"seed {nasty.Seed}");

    public static TheoryData<string> Shells => ["/bin/sh", "/bin/bash", "/usr/bin/fish", "/bin/csh"];

    [Theory]
    [MemberData(nameof(Shells))]
    public void No_argument_and_no_value_of_a_variable_is_ever_obeyed_by_a_shell(string shell)
    {
        foreach (var some in Enumerable.Range(0, Nasty.Of(1_000)).Select(_ => nasty.Text()).Chunk(100))
        {
            var environment = some[..20].Index().ToDictionary(v => $"V{v.Index}", v => v.Item);
            string[] argv = ["sh", "-c", "printf '%s\\0' \"$@\"; for n in $(seq 0 19); do eval \"printf '%s\\\\0' \\\"\\$V$n\\\"\"; done", "sh", .. some[20..]];
            Assert.Equal([.. some[20..], .. some[..20]], Output(shell, RemoteCommandLine.For(argv, environment, Marker, false)));
        }

        Assert.Equal([], Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public void A_script_of_the_product_takes_its_arguments_as_they_are()
    {
        foreach (var some in Enumerable.Range(0, Nasty.Of(1_000)).Select(_ => nasty.Text()).Chunk(200))
        {
            // As KeptScripts carries an operator's text, and the variables that describe the server.
            var script = $"text={RemoteCommandLine.Quote(string.Concat(some))}\n" + string.Concat(some.Select((t, n) => $"export V{n}={RemoteCommandLine.Quote(t)}\n")) + "printf %s \"$text\"";
            Assert.Equal(string.Concat(some), Shell("/bin/sh", script));
        }

        Assert.Equal([], Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public void What_is_taken_for_a_name_an_address_a_user_a_port_or_a_path_has_nothing_in_it_that_means_something_elsewhere()
    {
        for (var n = 0; n < Nasty.Of(1_500); n++)
        {
            var text = nasty.OneOf(nasty.Text(3), nasty.Spoiled("ns1.example.org"), nasty.Spoiled("192.0.2.10"), nasty.Spoiled("2001:db8::1"), nasty.Spoiled("root"), nasty.Spoiled("2222"), nasty.Spoiled("/var/lib/x"));
            if (HostAddress.TryParse(text, out var address, out _))
            {
                Holds(address.Text, c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or ':', text);
            }

            if (SshUser.TryParse(text, out var user, out _))
            {
                Holds(user.Text, c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '@' or '\\' or '$' or '+', text);
                Assert.False(user.Text.StartsWith('-'), Said(text));
            }

            if (SshPort.TryParse(text, out var port, out _))
            {
                Assert.InRange(port.Number, 1, 65535);
            }

            if (DisplayName.TryParse(text, out var name, out _))
            {
                Holds(name.Text, c => !char.IsControl(c) && c is not ('/' or '\u2028' or '\u202e' or '\u2066' or '\ufeff' or '\u200b'), text);
            }

            if (Checked(DockerReference.Check, text))
            {
                Holds(Uri.UnescapeDataString(new Uri($"http://docker/containers/{text}/json").AbsolutePath), c => char.IsAsciiLetterOrDigit(c) || "_.-/:@".Contains(c, StringComparison.Ordinal), text);
                Assert.StartsWith("/containers/" + text, new Uri($"http://docker/containers/{text}/json").AbsolutePath, StringComparison.Ordinal);
            }

            if (Checked(RemotePath.Check, text))
            {
                Assert.Equal(text, Path.GetFullPath(text));
            }
        }
    }

    [Fact]
    public void Whatever_a_host_says_of_itself_is_only_ever_a_value()
    {
        string[] keys = ["os.ID", "os.ID_LIKE", "os.VERSION_ID", "os.PRETTY_NAME", "arch", "kernel", "host", "uid", "python", "docker", "dockerproblem", "disk", "MemTotal", "MemAvailable", "port", "owner", "address", "address6", "interface", "selinux", "firewalld", "systemd", "clock"];
        string[] good = ["debian", "\"Debian GNU/Linux 12\"", "0", "3.11.2", "20.10.24 20.10.24", "/var/lib/docker\t100\t50\t/", "udp 00000000:0035 12345", "tcp6 00000000000000000000000001000000:0016 1", "12345 knotd", "192.0.2.1", "20010db8000000000000000000000001", "eth0 up", "1764117600.123456789", "99999999999999999999", "-1"];
        for (var n = 0; n < Nasty.Of(1_500); n++)
        {
            var text = string.Join('\n', Enumerable.Range(0, 12).Select(_ => $"{nasty.OneOf(keys)} {nasty.Spoiled(nasty.OneOf(good))}"));
            var facts = HostFactsReader.Parse(text, DateTimeOffset.UnixEpoch.AddYears(56), ["/var/lib/docker"]);

            Assert.All(facts.Addresses, a => Assert.Equal(a, IPAddress.Parse(a).ToString()));
            Assert.All(facts.Listening, l => Assert.InRange(l.Port, 0, 65535));
            Assert.All(facts.Disks, d => Assert.Equal("/var/lib/docker", d.Path));
            Assert.All(facts.Interfaces, i => Assert.InRange(i.Length, 1, 15));
            // Kea reads the names of interfaces out of a document.
            var kea = KeaConfiguration.Parse(System.Text.Json.JsonSerializer.SerializeToElement(new { subnet4 = new[] { new { subnet = "192.0.2.0/24" } } })).Render(facts.Interfaces).Text;
            var read = System.Text.Json.Nodes.JsonNode.Parse(kea)!["Dhcp4"]!["interfaces-config"]!["interfaces"]!.AsArray().Select(i => i!.GetValue<string>());
            Assert.Equal(facts.Interfaces.DefaultIfEmpty("*"), read);
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static bool Checked(Func<string, string> check, string text)
    {
        try
        {
            return check(text) == text;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private void Holds(string value, Func<char, bool> allowed, string text) => Assert.True(value.All(allowed), Said(text));

    private string Said(string text) => $"{System.Text.Json.JsonSerializer.Serialize(text)} with seed {nasty.Seed}";

    private string[] Output(string shell, string line)
    {
        var output = Shell(shell, line);
        return output[(output.IndexOf('\n', StringComparison.Ordinal) + 1)..].Split('\0')[..^1];
    }

    /// <summary>In an empty folder, where a text that is obeyed would leave something.</summary>
    private string Shell(string shell, string line)
    {
        var start = new ProcessStartInfo(shell, ["-c", line]) { RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = new UTF8Encoding(false), WorkingDirectory = folder };
        start.Environment["HOME"] = folder + ".home";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        // A reader of text would take a mark at the begin for one of the encoding.
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        Assert.Matches($"^({Marker} [0-9]+\n)?$", error.Result);
        return Encoding.UTF8.GetString(output.ToArray());
    }
}
