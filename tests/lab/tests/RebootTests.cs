namespace ManagedServers.Lab.Tests;

public sealed class RebootTests
{
    private const string RcLocal = """
        printf '#!/bin/sh\necho booted >> /root/boots\n' > /etc/rc.local
        chmod +x /etc/rc.local
        touch /tmp/of-this-boot /root/kept
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reboot_runs_rc_local_and_brings_containers_back_at_the_same_address(bool systemd)
    {
        await using var host = await LabHost.Start(new LabOptions { Systemd = systemd });
        await StartContainer(host, "knot");
        await host.Run(RcLocal);

        await host.Reboot();

        await AssertBack(host);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_loss_of_power_does_too(bool systemd)
    {
        await using var host = await LabHost.Start(new LabOptions { Systemd = systemd });
        await StartContainer(host, "knot");
        await host.Run(RcLocal);

        await host.LosePower();

        await AssertBack(host);
    }

    private static async Task StartContainer(LabHost host, string name)
    {
        // The image is this host's own shell and what it needs: nothing has to be brought along. As process 1 `sleep` is
        // deaf for the order to end, and a shutdown would wait for it for ten seconds.
        await host.Run($"tar -C / -c usr/bin/sleep usr/lib64 lib64 usr/lib/*-linux-gnu/libc.so.6 usr/lib/*-linux-gnu/ld-linux* bin lib | docker import - sleeper > /dev/null && docker run -d --stop-timeout 1 --restart unless-stopped --network host --name {name} sleeper /usr/bin/sleep infinity");
    }

    private static async Task AssertBack(LabHost host)
    {
        Assert.Equal("true", await host.Run("for i in $(seq 100); do docker inspect -f '{{.State.Running}}' knot | grep true && exit; sleep 0.1; done; exit 1"));
        await host.Run("for i in $(seq 100); do grep booted /root/boots && exit; sleep 0.1; done; exit 1");
        await host.Run("test ! -e /tmp/of-this-boot && test -e /root/kept");
        Assert.Equal("here", SshLogin.Run(host, "root", host.RootPassword, "echo here"));
    }
}
