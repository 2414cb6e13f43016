using System.Text;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Tests.Hosts;

[Collection(HostCollection.Name)]
public sealed class FileTests(TestHost lab)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Open = Private | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private readonly string folder = "/root/files-" + Guid.NewGuid().ToString("N");

    [Fact]
    public async Task A_file_is_written_once_and_again_when_it_differs()
    {
        await using var host = await lab.Connect();
        Assert.True(await host.EnsureFolder(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        Assert.False(await host.EnsureFolder(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        await lab.Outside($"chmod 2755 {folder}");
        Assert.False(await host.EnsureFolder(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        Assert.Equal("700", await lab.Outside($"stat -c %a {folder}"));
        var path = $"{folder}/it's a $file";

        Assert.True(await host.WriteFile(path, "one"u8.ToArray(), Private));
        Assert.False(await host.WriteFile(path, "one"u8.ToArray(), Private));
        Assert.True(await host.WriteFile(path, "one"u8.ToArray(), Open));
        Assert.True(await host.WriteFile(path, "two"u8.ToArray(), Open));
        await lab.Outside($"chown 1000 '{folder}'/*");
        Assert.True(await host.WriteFile(path, "two"u8.ToArray(), Open));

        Assert.Equal("two", Encoding.UTF8.GetString((await host.ReadFile(path))!));
        Assert.Equal("644 0:0", await lab.Outside($"stat -c '%a %u:%g' {folder}/*"));
        Assert.Equal("1", await lab.Outside($"ls -A {folder} | wc -l"));
        Assert.True(await host.Remove(folder));
        Assert.False(await host.Remove(folder));
        Assert.Null(await host.ReadFile(path));
    }

    [Fact]
    public async Task Any_bytes_and_no_bytes_come_back_as_they_were()
    {
        await using var host = await lab.Connect();
        var data = new byte[3 << 20];
        Random.Shared.NextBytes(data);

        Assert.True(await host.EnsureFolder(folder, Private | UnixFileMode.UserExecute));
        Assert.True(await host.WriteFile($"{folder}/big", data, Private));
        Assert.True(await host.WriteFile($"{folder}/empty", ReadOnlyMemory<byte>.Empty, Private));

        Assert.Equal(data, await host.ReadFile($"{folder}/big", 4 << 20));
        Assert.Empty((await host.ReadFile($"{folder}/empty"))!);
        var problem = await Assert.ThrowsAsync<HostRejectedException>(() => host.ReadFile($"{folder}/big", 1000));
        Assert.Equal(HostProblem.FileTooLong, problem.Code);
        await host.Remove(folder);
    }

    [Fact]
    public async Task A_reader_never_sees_half_a_file()
    {
        await using var host = await lab.Connect();
        await host.EnsureFolder(folder, Private | UnixFileMode.UserExecute);
        var a = Encoding.ASCII.GetBytes(new string('a', 200_000));
        var b = Encoding.ASCII.GetBytes(new string('b', 100_000));
        await host.WriteFile($"{folder}/f", a, Private);
        var reading = lab.Outside($"n=0; while [ ! -e {folder}/stop ]; do c=$(tr -d '\\n' <{folder}/f | fold -w 100000 | sort | uniq -c | wc -l); [ $c -eq 1 ] || echo broken; done");

        for (var i = 0; i < 10; i++)
        {
            await host.WriteFile($"{folder}/f", i % 2 == 0 ? b : a, Private);
        }

        await host.WriteFile($"{folder}/stop", ReadOnlyMemory<byte>.Empty, Private);
        Assert.Equal("", await reading);
        await host.Remove(folder);
    }

    [Fact]
    public async Task A_cut_connection_leaves_the_old_file_as_it_was()
    {
        await using var pool = TestHost.NewPool();
        await using var host = await pool.Connect(lab.Target());
        await host.EnsureFolder(folder, Private | UnixFileMode.UserExecute);
        await host.WriteFile($"{folder}/f", "old"u8.ToArray(), Private);
        var half = new StalledStream(new byte[1_000_000]);

        // The same way as a file is written, but with an input that stops half-way.
        var writing = ((Host)host).Files.Write($"{folder}/f", half, 2_000_000, new string('0', 64), Private, CancellationToken.None);
        await half.Stalled;
        await lab.CutConnections();

        Assert.Equal(HostProblem.ConnectionLost, (await Assert.ThrowsAsync<HostUnavailableException>(() => writing)).Code);
        await using var other = TestHost.NewPool();
        await using var again = await other.Connect(lab.Target());
        await Eventually.True(async () => (await lab.Outside($"ls -A {folder}")) == "f");
        Assert.Equal("old", Encoding.UTF8.GetString((await again.ReadFile($"{folder}/f"))!));
    }

    [Fact]
    public async Task A_full_disk_is_told_and_leaves_the_old_file()
    {
        await using var host = await lab.Connect();
        await lab.Outside($"mkdir -p {folder}; mount -t tmpfs -o size=64k tmpfs {folder}");
        await host.WriteFile($"{folder}/f", "old"u8.ToArray(), Private);

        var problem = await Assert.ThrowsAsync<HostRejectedException>(() => host.WriteFile($"{folder}/f", new byte[200_000], Private));

        Assert.Equal(HostProblem.DiskFull, problem.Code);
        Assert.Equal("f", await lab.Outside($"ls -A {folder}; umount {folder}"));
    }

    [Fact]
    public async Task Where_a_login_may_not_write_it_is_told_as_such()
    {
        await using var host = await lab.Connect("plain");

        var problem = await Assert.ThrowsAsync<HostRejectedException>(() => host.WriteFile("/etc/managed", "x"u8.ToArray(), Private));

        Assert.Equal(HostProblem.PermissionDenied, problem.Code);
        Assert.Contains("/etc/managed", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("relative")]
    [InlineData("/")]
    [InlineData("/a/../b")]
    [InlineData("/a//b")]
    [InlineData("/a/")]
    [InlineData("/a\nb")]
    [InlineData("")]
    public async Task A_path_that_could_mean_another_is_refused(string path)
    {
        await using var host = await lab.Connect();

        await Assert.ThrowsAsync<ArgumentException>(() => host.Remove(path));
    }

    private sealed class StalledStream(byte[] first) : MemoryStream(first)
    {
        private readonly TaskCompletionSource stalled = new();

        public Task Stalled => stalled.Task;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await base.ReadAsync(buffer, cancellationToken);
            if (read == 0)
            {
                stalled.TrySetResult();
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return read;
        }
    }
}
