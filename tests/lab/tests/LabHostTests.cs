using System.Diagnostics;
using Renci.SshNet;

namespace ManagedServers.Lab.Tests;

public sealed class LabHostTests
{
    [Fact]
    public async Task A_host_answers_on_ssh_with_python_and_its_own_docker()
    {
        var clock = Stopwatch.StartNew();
        await using var host = await LabHost.Start();
        var took = clock.Elapsed;

        Assert.StartsWith("Python 3.", SshLogin.Run(host, "root", host.RootPassword, "python3 --version"), StringComparison.Ordinal);
        Assert.Equal("0 overlay2", SshLogin.Run(host, "root", host.RootPassword, "docker info -f '{{.Containers}} {{.Driver}}'"));
        Assert.Equal(host.Name, SshLogin.Run(host, "root", host.RootPassword, "hostname"));
        Assert.True(took < TimeSpan.FromSeconds(20), $"it took {took}");
    }

    [Fact]
    public async Task Two_hosts_side_by_side_have_their_own_addresses_passwords_keys_and_engines()
    {
        var hosts = await Task.WhenAll(LabHost.Start(), LabHost.Start());
        await using var one = hosts[0];
        await using var other = hosts[1];

        const string keyAndEngine = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; docker info -f '{{.ID}}'";
        Assert.NotEqual(one.Address, other.Address);
        Assert.NotEqual(one.RootPassword, other.RootPassword);
        Assert.NotEqual(await one.Run(keyAndEngine), await other.Run(keyAndEngine));
        Assert.Equal(one.Gateway, other.Gateway);
    }

    [Fact]
    public async Task Restarting_docker_brings_its_engine_back_and_stopping_it_leaves_ssh_alone()
    {
        await using var host = await LabHost.Start();
        var before = await host.Run("cat /run/docker.pid");

        await host.RestartDocker();
        Assert.NotEqual(before, await host.Run("cat /run/docker.pid"));
        Assert.Equal("0", await host.Run("docker info -f '{{.Containers}}'"));

        await host.StopDocker();
        Assert.NotEqual(0, (await host.TryRun("docker version")).ExitCode);
        Assert.Equal("here", SshLogin.Run(host, "root", host.RootPassword, "echo here"));
    }

    [Fact]
    public async Task A_service_that_dies_comes_back()
    {
        await using var host = await LabHost.Start();

        await host.Run("kill -9 $(cat /run/lab-host/docker.pid)");

        await host.Run("for i in $(seq 200); do docker version > /dev/null 2>&1 && exit; sleep 0.1; done; exit 1");
    }

    [Fact]
    public async Task Users_sign_in_by_password_or_key_and_may_do_what_their_groups_allow()
    {
        using var folder = new TemporaryKey();
        await using var host = await LabHost.Start(new LabOptions
        {
            AuthorizedKey = folder.PublicKey,
            Users =
            [
                new LabUser { Name = "plain", Password = "it's $5 \"or\" less" },
                new LabUser { Name = "docker-user", Password = "p", AuthorizedKey = folder.PublicKey, Groups = ["docker"] },
                new LabUser { Name = "admin", Password = "p", Sudo = true, Shell = "/bin/sh" },
            ],
        });

        using var key = new PrivateKeyFile(folder.Path);
        Assert.Equal("0", SshLogin.Run(host, "root", key, "id -u"));
        Assert.Contains("permission denied", SshLogin.Run(host, "plain", "it's $5 \"or\" less", "docker ps -q"), StringComparison.OrdinalIgnoreCase);
        Assert.Equal("", SshLogin.Run(host, "docker-user", key, "docker ps -q"));
        Assert.Equal("root", SshLogin.Run(host, "admin", "p", "sudo -n id -un"));
    }

    [Fact]
    public async Task A_host_can_lack_docker_and_python()
    {
        await using var host = await LabHost.Start(new LabOptions { Docker = false, Python = false });

        Assert.Equal(127, (await host.TryRun("docker version")).ExitCode);
        Assert.Equal(127, (await host.TryRun("python3 --version")).ExitCode);
        Assert.Equal("here", SshLogin.Run(host, "root", host.RootPassword, "echo here"));
    }

    [Fact]
    public async Task A_small_folder_runs_full_and_setup_has_run_before_the_first_service()
    {
        await using var host = await LabHost.Start(new LabOptions
        {
            SmallFolders = new Dictionary<string, string> { ["/var/lib/managed-servers"] = "64k" },
            Setup = "echo 'Port 22' > /etc/ssh/sshd_config.d/setup.conf; touch /root/setup-ran",
        });

        var output = await host.TryRun("head -c 100000 /dev/zero > /var/lib/managed-servers/file");
        Assert.Contains("No space left", output.Errors, StringComparison.Ordinal);
        await host.Run("test -e /root/setup-ran && test ! -e /etc/lab-host/setup");
    }

    [Fact]
    public async Task A_failing_setup_is_told_and_leaves_nothing()
    {
        using var owner = new OwnedProcess();
        var options = new LabOptions { Owner = owner.Owner, Setup = "echo this is why >&2; false" };

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => LabHost.Start(options));

        Assert.Contains("this is why", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, await LabThings.CountOf(owner.Owner));
    }

    [Fact]
    public async Task What_fails_inside_is_told_with_its_output()
    {
        await using var host = await LabHost.Start(new LabOptions { Docker = false });

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => host.Run("echo out; echo err >&2; exit 3"));

        Assert.Contains("ended with 3: out\nerr", error.Message, StringComparison.Ordinal);
    }
}
