using System.Text;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Tests.Hosts;

[Collection(HostCollection.Name)]
public sealed class SudoTests(TestHost lab)
{
    private const string Allowed = "wheeler ALL=(ALL) NOPASSWD: ALL";
    private const string Odd = "it's\n$HOME `id` \\ ! %s";
    private readonly string key = "test-" + Guid.NewGuid().ToString("N");

    [Fact]
    public async Task A_command_is_run_by_root_with_its_environment_input_and_exit_code_whatever_sudo_is_told_to_print_keep_and_reset()
    {
        await Rules(Allowed, "Defaults:wheeler fqdn, env_keep+=HOME, secure_path=/usr/bin\\:/bin, umask=0077");
        await lab.Outside("cp /etc/hosts /etc/hosts.kept; echo 127.0.0.1 localhost > /etc/hosts");
        try
        {
            await using var host = await lab.ConnectThroughSudo();
            var options = new CommandOptions { Environment = new Dictionary<string, string> { ["ODD"] = Odd }, Stdin = new MemoryStream(Encoding.UTF8.GetBytes("in")) };

            var result = await host.Run(["sh", "-c", "id -un; umask; echo $HOME; command -v sysctl; cat; printf '|%s|%s' \"$ODD\" \"$1\"; echo err >&2; exit 3", "sh", Odd], options);

            Assert.Equal((3, $"root\n0022\n/root\n/usr/sbin/sysctl\nin|{Odd}|{Odd}", "err\n"), (result.ExitCode, result.Stdout, result.Stderr));
            Assert.Equal("wheeler\n", (await host.Run(["id", "-un"], new CommandOptions { AsRoot = false })).Stdout);
        }
        finally
        {
            await lab.Outside("cat /etc/hosts.kept > /etc/hosts; rm /etc/hosts.kept");
            await Rules(Allowed);
        }
    }

    [Fact]
    public async Task A_command_of_root_that_takes_too_long_is_ended_on_the_host()
    {
        await using var host = await lab.ConnectThroughSudo();

        await Assert.ThrowsAsync<HostCommandTimeoutException>(() => host.Run(["sleep", "701"], new CommandOptions { Timeout = TimeSpan.FromMilliseconds(500) }));

        await Eventually.True(async () => !(await lab.Outside("ps axww -o args")).Contains("sleep 701", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Files_are_roots_and_Docker_is_asked_as_root()
    {
        await using var host = await lab.ConnectThroughSudo();
        var folder = $"/var/lib/{key}";

        Assert.True(await host.EnsureFolder(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        Assert.True(await host.WriteFile($"{folder}/file", "text"u8.ToArray(), UnixFileMode.UserRead));
        Assert.False(await host.WriteFile($"{folder}/file", "text"u8.ToArray(), UnixFileMode.UserRead));

        Assert.Equal("700 root:root\n400 root:root", await lab.Outside($"stat -c '%a %U:%G' {folder} {folder}/file"));
        Assert.Equal("text"u8.ToArray(), await host.ReadFile($"{folder}/file"));
        Assert.NotEmpty((await host.Docker.Version()).Engine);
        Assert.Equal(0, (await host.Facts([])).UserId);
        Assert.True(await host.Remove(folder));
    }

    [Fact]
    public async Task Kept_commands_run_as_root_or_as_the_user_and_are_found_again_either_way()
    {
        await using var host = await lab.ConnectThroughSudo();
        var environment = new Dictionary<string, string> { ["ODD"] = Odd };
        const string Text = "id -un; printf '%s' \"$ODD\"; exit 5";

        var asRoot = await host.RunKept(key, KeptCommand.FromOperator(Text) with { Environment = environment });
        var asUser = await host.RunKept($"{key}-user", KeptCommand.FromOperator(Text) with { Environment = environment, AsRoot = false });

        Assert.Equal((5, $"root\n{Odd}"), (asRoot.ExitCode, asRoot.Stdout));
        Assert.Equal((5, $"wheeler\n{Odd}"), (asUser.ExitCode, asUser.Stdout));
        foreach (var kept in new[] { key, $"{key}-user" })
        {
            Assert.Equal(new KeptCommandState(KeptCommandPhase.Ended, 5), await host.LookUpKept(kept));
            await host.ForgetKept(kept);
            Assert.Equal(KeptCommandPhase.None, (await host.LookUpKept(kept)).Phase);
        }

        Assert.Equal("", await lab.Outside("ls -A /home/wheeler | grep managed || true"));
        var running = host.RunKept(key, KeptCommand.FromOperator("sleep 702"));
        await Eventually.True(async () => (await host.LookUpKept(key)).Phase == KeptCommandPhase.Running);
        await host.EndKept(key);
        Assert.Equal(143, (await running).ExitCode);
        await host.ForgetKept(key);
    }

    [Theory]
    [InlineData("wheeler ALL=(ALL) ALL", "a password is required", "wheeler ALL=(ALL) NOPASSWD: ALL")]
    [InlineData("wheeler ALL=(ALL) NOPASSWD: /usr/bin/docker", "a password is required", "wheeler ALL=(ALL) NOPASSWD: ALL")]
    [InlineData(Allowed + "\nDefaults:wheeler requiretty", "you must have a tty", "Defaults:wheeler !requiretty")]
    public async Task A_sudo_that_refuses_is_told_in_its_own_words_with_the_line_that_helps(string rule, string said, string line)
    {
        await Rules(rule);
        try
        {
            await using var host = await lab.ConnectThroughSudo();
            var ofCommand = await Assert.ThrowsAsync<HostRejectedException>(() => host.Run(["true"]));
            var ofDocker = await Assert.ThrowsAsync<HostRejectedException>(() => host.Docker.Version());
            foreach (var problem in new[] { ofCommand, ofDocker })
            {
                Assert.Equal(HostProblem.SudoRefused, problem.Code);
                Assert.Contains(said, problem.Message, StringComparison.Ordinal);
                Assert.Contains(line, problem.Message, StringComparison.Ordinal);
            }

            // The command that it names is the one that helps.
            await lab.Outside(Help(ofCommand));
            Assert.Equal("0\n", (await host.Run(["id", "-u"])).Stdout);
        }
        finally
        {
            await lab.Outside("rm -f /etc/sudoers.d/zz-managed-servers");
            await Rules(Allowed);
        }

        static string Help(HostRejectedException of) => of.Message[(of.Message.IndexOf("As root there: ", StringComparison.Ordinal) + "As root there: ".Length)..];
    }

    private Task<string> Rules(params string[] lines) => lab.Outside($"printf '%s\\n' '{string.Join("' '", lines)}' > /etc/sudoers.d/wheeler");
}
