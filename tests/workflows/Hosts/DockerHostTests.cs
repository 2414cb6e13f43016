using System.Text.Json;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Tests.Hosts;

[Collection(HostCollection.Name)]
public sealed class DockerHostTests(TestHost lab) : IAsyncLifetime
{
    private readonly string name = "test-" + Guid.NewGuid().ToString("N")[..8];
    private IHost host = null!;
    private string image = "";

    public async Task InitializeAsync()
    {
        host = await lab.Connect();
        image = await TestHost.KnotImage(host);
        await lab.Outside("mkdir -p /root/endless; printf 'server:\n  rundir: /tmp\ndatabase:\n  storage: /tmp\n' > /root/endless/knot.conf");
    }

    public async Task DisposeAsync()
    {
        await host.Docker.Remove(name);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task The_engine_answers_through_SSH() => Assert.StartsWith("20.10.", (await host.Docker.Version()).Engine, StringComparison.Ordinal);

    [Fact]
    public async Task An_image_is_loaded_once_found_by_tag_and_repository_and_removed()
    {
        await host.Docker.RemoveImage(image);
        Assert.Null(await host.Docker.FindImage(image));
        Assert.False(await host.Docker.RemoveImage(image));
        var sent = 0L;

        await using (var archive = File.OpenRead(TestHost.Artifact("knot.tar.gz")))
        {
            var loaded = await host.Docker.LoadImage(archive, bytes => sent = bytes);
            Assert.Equal([image], loaded);
            Assert.Equal(archive.Length, sent);
        }

        var found = (await host.Docker.FindImage(image))!;
        Assert.Contains(image, found.Tags);
        Assert.Equal(found.Id, Assert.Single(await host.Docker.FindImages(image[..image.IndexOf(':', StringComparison.Ordinal)])).Id);
        Assert.Empty(await host.Docker.FindImages("managed-servers/other"));
    }

    [Fact]
    public async Task What_is_no_image_is_refused()
    {
        var problem = await Assert.ThrowsAsync<HostRejectedException>(() => host.Docker.LoadImage(new MemoryStream(new byte[100_000])));

        Assert.Equal(HostProblem.DockerRefused, problem.Code);
        Assert.Contains("loading an image", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_lives_its_life()
    {
        Assert.Null(await host.Docker.FindContainer(name));
        var id = await host.Docker.Create(name, Specification());

        var made = (await host.Docker.FindContainer(name))!;
        Assert.Equal((id, name, image, "created", null), (made.Id, made.Name, made.Image, made.State, made.StartedAt));
        Assert.Equal("k1", made.Labels["managed-servers.key"]);
        Assert.True(await host.Docker.Start(name));
        Assert.False(await host.Docker.Start(name));
        var started = (await host.Docker.FindContainer(name))!;
        Assert.True(started.IsRunning);
        Assert.InRange(started.StartedAt!.Value, DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.MaxValue);
        Assert.Equal(id, Assert.Single(await host.Docker.FindContainers("managed-servers.key", "k1")).Id);
        await host.Docker.Restart(name, TimeSpan.FromSeconds(1));
        Assert.True(await host.Docker.Stop(name, TimeSpan.FromSeconds(1)));
        Assert.False(await host.Docker.Stop(name));
        Assert.Contains("Knot DNS 3", await host.Docker.Logs(name), StringComparison.Ordinal);
        Assert.True(await host.Docker.Remove(name));
        Assert.False(await host.Docker.Remove(name));
        Assert.False(await host.Docker.Stop(name));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_container_that_a_killed_engine_can_never_start_again_is_started_under_a_new_id(bool byTheLine)
    {
        var lost = await host.Docker.Create(name, Specification());
        await host.Docker.Start(name);
        await lab.KillDockerWhileItStarts(name);
        Assert.Matches("id already in use|already exists", await lab.Outside($"docker start {name} 2>&1 || true"));

        if (byTheLine)
        {
            await host.WriteFile("/root/enrol.py", PayloadFiles.EnrolScript, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            await lab.Outside($"cd /root && python3 -c 'import enrol; enrol.Docker().start(\"{name}\")'");
        }
        else
        {
            Assert.True(await AsAStepTriesAgain(() => host.Docker.KeepRunning(name)));
        }

        var anew = (await AsAStepTriesAgain(() => host.Docker.FindContainer(name)))!;
        Assert.True(anew.IsRunning);
        Assert.NotEqual(lost, anew.Id);
        Assert.Equal("k1", anew.Labels["managed-servers.key"]);
        Assert.Equal("always", await lab.Outside($"docker inspect --format '{{{{.HostConfig.RestartPolicy.Name}}}}' {name}"));
        Assert.Equal(name, await lab.Outside($"docker ps -a --filter name={name} --format '{{{{.Names}}}}'"));
    }

    /// <summary>What the killed engine had open may end under the first question.</summary>
    private static async Task<T> AsAStepTriesAgain<T>(Func<Task<T>> ask)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await ask();
            }
            catch (HostUnavailableException) when (tries < 5)
            {
                await Task.Delay(TimeSpan.FromSeconds(1));
            }
        }
    }

    [Fact]
    public async Task A_name_that_is_taken_and_an_image_that_is_missing_are_told_in_Dockers_words()
    {
        await host.Docker.Create(name, Specification());

        var taken = await Assert.ThrowsAsync<HostRejectedException>(() => host.Docker.Create(name, Specification()));
        var missing = await Assert.ThrowsAsync<HostRejectedException>(() => host.Docker.Create(name + "x", JsonSerializer.SerializeToElement(new { Image = "no/such:1" })));

        Assert.Contains("already in use", taken.Message, StringComparison.Ordinal);
        Assert.Contains("No such image: no/such:1", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_throw_away_container_gives_its_exit_code_and_leaves_nothing()
    {
        await lab.Outside("mkdir -p /root/throw; echo hello > /root/throw/f");

        var good = await host.Docker.RunThrowAway(new ThrowAway { Owner = "test", Image = image, Argv = ["/usr/sbin/knotc", "--version"] });
        var bad = await host.Docker.RunThrowAway(new ThrowAway { Owner = "test", Image = image, Argv = ["/usr/sbin/knotc", "-c", "/etc/knot/f", "conf-check"], Binds = ["/root/throw:/etc/knot:ro"] });

        Assert.True(good.Succeeded);
        Assert.StartsWith("knotc (Knot DNS)", good.Stdout, StringComparison.Ordinal);
        Assert.NotEqual(0, bad.ExitCode);
        Assert.Contains("/etc/knot/f", bad.Stdout + bad.Stderr, StringComparison.Ordinal);
        Assert.Equal("", await lab.Outside("docker ps -aq --filter label=managed-servers.throw-away"));
    }

    [Fact]
    public async Task A_throw_away_container_that_takes_too_long_is_removed()
    {
        var endless = new ThrowAway { Owner = "test", Image = image, Argv = ["/usr/sbin/knotd", "-c", "/etc/knot/knot.conf"], Binds = ["/root/endless:/etc/knot:ro"], Timeout = TimeSpan.FromSeconds(2) };

        await Assert.ThrowsAsync<HostCommandTimeoutException>(() => host.Docker.RunThrowAway(endless));
        var problem = await Assert.ThrowsAsync<HostRejectedException>(() => host.Docker.RunThrowAway(new ThrowAway { Owner = "test", Image = image, Argv = ["/no/such/program"] }));

        Assert.Contains("/no/such/program", problem.Message, StringComparison.Ordinal);
        Assert.Equal("", await lab.Outside("docker ps -aq --filter label=managed-servers.throw-away"));
    }

    [Fact]
    public async Task A_stopped_engine_is_told_and_after_its_restart_the_same_lease_goes_on()
    {
        await host.Docker.Version();
        await lab.StopDocker();
        try
        {
            var problem = await Assert.ThrowsAsync<HostUnavailableException>(() => host.Docker.Version());
            Assert.Equal(HostProblem.DockerNotRunning, problem.Code);
            Assert.Contains($"ns1 ({lab.Address}:22)", problem.Message, StringComparison.Ordinal);
            var facts = await host.Facts([]);
            Assert.NotNull(facts.DockerClientVersion);
            Assert.Contains("Cannot connect", facts.DockerProblem, StringComparison.Ordinal);
        }
        finally
        {
            await lab.StartDocker();
        }

        await Eventually.True(async () =>
        {
            try
            {
                return (await host.Docker.FindImage(image)) is not null;
            }
            catch (HostUnavailableException)
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task An_engine_that_dies_while_it_loads_is_told_as_not_running()
    {
        var half = new EndlessStream();
        var loading = host.Docker.LoadImage(half);
        await half.Flowing;

        await lab.Outside("lab-service docker restart");

        Assert.Equal(HostProblem.DockerNotRunning, (await Assert.ThrowsAsync<HostUnavailableException>(() => loading)).Code);
        await Eventually.True(async () => (await lab.Outside("docker version >/dev/null 2>&1 && echo up || true")).Contains("up", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_login_that_may_not_use_Docker_is_told_as_such()
    {
        await using var other = await lab.Connect("plain");

        var problem = await Assert.ThrowsAsync<HostRejectedException>(() => other.Docker.Version());

        Assert.Equal(HostProblem.DockerPermission, problem.Code);
        Assert.Contains("usermod -aG docker plain", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_without_Docker_is_told_as_such()
    {
        await lab.Outside("mv /usr/bin/docker /usr/bin/docker.away");
        try
        {
            await using var pool = TestHost.NewPool();
            await using var without = await pool.Connect(lab.Target());
            var problem = await Assert.ThrowsAsync<HostRejectedException>(() => without.Docker.Version());
            Assert.Equal(HostProblem.DockerMissing, problem.Code);
            Assert.Null((await without.Facts([])).DockerClientVersion);
        }
        finally
        {
            await lab.Outside("mv /usr/bin/docker.away /usr/bin/docker");
        }
    }

    [Theory]
    [InlineData("../info")]
    [InlineData("a?force=1")]
    [InlineData("a b")]
    [InlineData("")]
    public async Task A_name_that_would_reach_another_request_is_refused(string bad) =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await host.Docker.FindContainer(bad));

    private JsonElement Specification() => JsonSerializer.SerializeToElement(new
    {
        Image = image,
        HostConfig = new { Binds = new[] { "/root/endless:/etc/knot:ro" }, Tmpfs = new Dictionary<string, string> { ["/tmp"] = "" } },
        Labels = new Dictionary<string, string> { ["managed-servers.key"] = "k1" },
    });

    /// <summary>Gives zeros at a measured pace: an archive that never ends.</summary>
    private sealed class EndlessStream : MemoryStream
    {
        private readonly TaskCompletionSource flowing = new();

        public Task Flowing => flowing.Task;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(10, cancellationToken);
            flowing.TrySetResult();
            buffer.Span.Clear();
            return Math.Min(buffer.Length, 512);
        }
    }
}
