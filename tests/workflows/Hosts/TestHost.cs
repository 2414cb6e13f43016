using System.Diagnostics;
using System.Text.Json;
using ManagedServers.Lab;
using ManagedServers.Workflows.Hosts;
using Microsoft.Extensions.Logging.Abstractions;

namespace ManagedServers.Workflows.Tests.Hosts;

[CollectionDefinition(Name)]
public sealed class HostCollection : ICollectionFixture<TestHost>
{
    public const string Name = "managed host";
}

/// <summary>One managed host for all tests of this folder; what a test breaks it mends.</summary>
public sealed class TestHost : IAsyncLifetime
{
    public const string Passphrase = "open sesame";
    private LabHost lab = null!;

    public HostAddress Address { get; private set; } = null!;

    public string Password => lab.RootPassword;

    /// <summary>This machine, as the host sees it.</summary>
    public string Gateway => lab.Gateway;

    public HostKey Key { get; private set; } = null!;

    public string PlainKey { get; private set; } = "";

    public string EncryptedKey { get; private set; } = "";

    public string EncryptedPem { get; private set; } = "";

    internal HostPool Pool { get; private set; } = NewPool();

    internal static HostPool NewPool(HostsOptions? options = null, TimeProvider? time = null) =>
        new(options ?? new HostsOptions(), time ?? TimeProvider.System, NullLogger<HostPool>.Instance);

    public HostTarget Target(HostCredential? credential = null, string user = "root", string name = "ns1") => new()
    {
        DisplayName = name,
        Address = Address,
        User = SshUser.Parse(user),
        Credential = credential ?? new PasswordCredential(Password),
        PinnedKey = Key,
    };

    public Task<IHost> Connect() => Pool.Connect(Target());

    /// <summary>As a user of <see cref="InitializeAsync"/>; all of them have the password "secret".</summary>
    public Task<IHost> Connect(string user) => Pool.Connect(Target(new PasswordCredential("secret"), user));

    /// <summary>As a user whom sudo makes root.</summary>
    public Task<IHost> ConnectThroughSudo() =>
        Pool.Connect(Target(new PasswordCredential("secret"), "wheeler") with { Login = new HostLogin(LoginKind.Sudo, "/home/wheeler") });

    /// <summary>Runs a command on the host from outside of SSH; its output without the last line's end.</summary>
    public Task<string> Outside(string command) => lab.Run(command);

    /// <summary>Makes the host forget every SSH connection that it has, as a reboot or a firewall does.</summary>
    public async Task CutConnections()
    {
        await Outside("pkill -9 -f '^sshd: [a-z]*@' || true");
        await RenewPool();
    }

    public Task StopDocker() => lab.StopDocker();

    public Task StartDocker() => lab.StartDocker();

    /// <summary>kill -9 of the engine after it has made a container's process and before it has let it go; returns when the engine, started again, answers.</summary>
    public async Task KillDockerWhileItStarts(string container)
    {
        try
        {
            await Outside(
                $"""
                runc=$(command -v runc); mv $runc $runc.real; touch /run/hold
                printf '#!/bin/sh\nfor a; do [ "$a" != start ] || [ ! -e /run/hold ] || exec sleep 123456; done\nexec %s.real "$@"\n' $runc > $runc; chmod +x $runc
                docker restart -t 1 {container} > /dev/null 2>&1 &
                until pgrep -xf 'sleep 123456' > /dev/null; do sleep 0.05; done
                """);
            await lab.KillDocker();
        }
        finally
        {
            await Outside("rm /run/hold; pkill -xf 'sleep 123456'; runc=$(command -v runc); mv $runc.real $runc");
        }
    }

    public async Task LosePower()
    {
        await lab.LosePower();
        await RenewPool();
    }

    /// <summary>The name of the image of Knot, loaded if it was not.</summary>
    public static async Task<string> KnotImage(IHost host)
    {
        using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Artifact("dns.json")));
        var image = manifest.RootElement.GetProperty("image").GetString()!;
        if (await host.Docker.FindImage(image) is null)
        {
            await using var archive = File.OpenRead(Artifact("knot.tar.gz"));
            await host.Docker.LoadImage(archive);
        }

        return image;
    }

    public static string Artifact(string name) => Path.Combine(LabImages.Folder, name);

    public async Task InitializeAsync()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        PlainKey = await MakeKey($"{folder}/plain", "-t", "ed25519", "-N", "");
        EncryptedKey = await MakeKey($"{folder}/encrypted", "-t", "ed25519", "-N", Passphrase);
        EncryptedPem = await MakeKey($"{folder}/pem", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", Passphrase);
        var keys = string.Concat(Directory.GetFiles(folder, "*.pub").Select(File.ReadAllText));
        Directory.Delete(folder, true);
        lab = await LabHost.Start(new LabOptions
        {
            Users = [User("plain"), User("wheeler") with { Sudo = true }, User("odd"), User("nologin") with { Shell = "/usr/sbin/nologin" }],
            // Of several lines, which an authorized key is not; and a login that greets, warns and has a strange umask.
            Setup = $"""
                mkdir -m 700 -p /root/.ssh
                cat >/root/.ssh/authorized_keys <<'END'
                {keys.Trim()}
                END
                printf 'echo "Welcome!"; printf "no newline"; echo "a warning" >&2; umask 0777\n' >/home/odd/.bashrc
                """,
        });
        Address = HostAddress.Parse(lab.Address);
        Key = await Pool.ReadHostKey(Address, SshPort.Default);
    }

    public async Task DisposeAsync()
    {
        await Pool.DisposeAsync();
        await lab.DisposeAsync();
    }

    // The next test must not meet what this one broke.
    private async Task RenewPool()
    {
        await Pool.DisposeAsync();
        Pool = NewPool();
    }

    private static LabUser User(string name) => new() { Name = name, Password = "secret" };

    internal static async Task<string> MakeKey(string path, params string[] options)
    {
        using var process = Process.Start("ssh-keygen", ["-q", "-f", path, .. options]);
        await process.WaitForExitAsync();
        return await File.ReadAllTextAsync(path);
    }
}

public static class Eventually
{
    public static async Task True(Func<Task<bool>> condition, int seconds = 30)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        while (!await condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }

    public static Task True(Func<bool> condition, int seconds = 30) => True(() => Task.FromResult(condition()), seconds);
}
