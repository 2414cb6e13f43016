using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ManagedServers.Lab;
using ManagedServers.Tests;

namespace ManagedServers.Bench.Provisioning;

/// <summary>The real product as a process of its own, and hosts of the lab that are registered with it.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    private readonly List<FleetHost> hosts = [];

    private Fleet(ProductProcess product, HttpClient admin, string folder) => (Product, Admin, Folder) = (product, admin, folder);

    public ProductProcess Product { get; }

    public HttpClient Admin { get; }

    /// <summary>For keys, and for what the scripts are given.</summary>
    public string Folder { get; }

    public string KeyFile => Path.Combine(Folder, "key");

    public static async Task<Fleet> Start(string folder)
    {
        Directory.CreateDirectory(folder);
        await Script.Run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(folder, "key")]);
        var first = await StartLab(folder);
        try
        {
            var product = await ProductProcess.Start(IPAddress.Parse(first.Gateway));
            var fleet = new Fleet(product, product.Admin(), folder);
            fleet.hosts.Add(await FleetHost.Register(fleet, first, "host1"));
            return fleet;
        }
        catch
        {
            await first.DisposeAsync();
            throw;
        }
    }

    /// <summary>So many hosts, warm: each was installed and uninstalled once.</summary>
    public async Task<IReadOnlyList<FleetHost>> Hosts(int count)
    {
        while (hosts.Count < count)
        {
            var more = await Task.WhenAll(Enumerable.Range(hosts.Count + 1, Math.Min(4, count - hosts.Count)).Select(async n => (Number: n, Lab: await StartLab(Folder))));
            foreach (var (number, lab) in more)
            {
                hosts.Add(await FleetHost.Register(this, lab, $"host{number}"));
            }
        }

        return hosts[..count];
    }

    public async Task<JsonElement> Post(string path, object body)
    {
        var (status, answer) = await Admin.PostAsJsonAsync(path, body).Answer();
        return status is HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.Accepted ? answer : throw new InvalidOperationException($"{path}: {status} {answer}");
    }

    public async ValueTask DisposeAsync()
    {
        Admin.Dispose();
        await Product.DisposeAsync();
        foreach (var host in hosts)
        {
            await host.Lab.DisposeAsync();
        }
    }

    private static async Task<LabHost> StartLab(string folder) => await LabHost.Start(new LabOptions { AuthorizedKey = (await File.ReadAllTextAsync(Path.Combine(folder, "key.pub"))).Trim() });
}

/// <summary>A program that must succeed.</summary>
internal static class Script
{
    /// <returns>Seconds.</returns>
    public static async Task<double> Run(string program, params string[] arguments)
    {
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? Stopwatch.GetElapsedTime(started).TotalSeconds : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {said}");
    }

    /// <summary>One of those that do by hand what the product does.</summary>
    public static string ByHand(string name) => Path.Combine(AppContext.BaseDirectory, "by-hand", name);
}
