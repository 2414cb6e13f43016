using System.Net;
using System.Text.Json;
using ManagedServers.Api.Hosting;
using ManagedServers.Engine;
using ManagedServers.Tests;
using ManagedServers.Workflows.Provisioning;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace ManagedServers.Dashboard.Tests;

/// <summary>
/// The whole product as it is, with TLS, its private PostgreSQL and its engine, in the test's own process, so that one workflow of the tests can run in it:
/// <see cref="Rehearsal"/> plays steps that the tests hold and let go, without a managed host.
/// </summary>
public sealed class RunningProduct : IAsyncLifetime
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private string folder = "";
    private Task running = Task.CompletedTask;

    public Uri Address { get; private set; } = null!;
    public IServiceProvider Services { get; private set; } = null!;
    public People People { get; private set; } = null!;
    public Hosts Hosts { get; private set; } = null!;
    public Pages Pages { get; private set; } = null!;
    public IRuns Runs => Services.GetRequiredService<IRuns>();
    internal NpgsqlDataSource Database => Services.GetRequiredService<NpgsqlDataSource>();

    public async Task InitializeAsync()
    {
        folder = Directory.CreateTempSubdirectory("managed-servers-dashboard-").FullName;

        // The private PostgreSQL runs as another user and must get through.
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var listen = FreePort.On(IPAddress.Loopback);
        Address = new Uri($"https://{listen}");
        var options = new ServeOptions
        {
            DataFolder = folder, Listen = [listen], ApiAddress = Address, ImagesFolder = Path.Combine(folder, "images"), NodeName = "dashboard-tests",
        };
        WriteManifests(options.ImagesFolder);
        var services = new TaskCompletionSource<IServiceProvider>(TaskCreationOptions.RunContinuationsAsynchronously);
        running = Product.Run(options, CancellationToken.None, also => also
            .AddWorkflow<RehearsalWorkflow>()
            .AddSingleton<IHostedService>(s => new HandOut(services, s, s.GetRequiredService<IHostApplicationLifetime>())));
        await (await Task.WhenAny(running, services.Task).WaitAsync(Patience));
        Services = await services.Task;
        People = new People(Database, (await File.ReadAllTextAsync(options.AdminPasswordFile)).Trim());
        Hosts = new Hosts(Services);
        Pages = await Pages.Open(Address);
    }

    public async Task<Guid> Rehearse(Rehearsal rehearsal, Guid? server = null)
    {
        var started = await Runs.Start<RehearsalWorkflow, Rehearsal>(
            rehearsal, new StartRun { RequestedBy = "admin", Subject = server is { } id ? $"server:{id}" : null });
        return started.Id;
    }

    public async Task DisposeAsync()
    {
        Gates.OpenAll();
        await Pages.DisposeAsync();
        Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await running;
        Directory.Delete(folder, recursive: true);
    }

    // An install may be asked for; its run ends at the first step, because no host is behind the servers of these tests.
    private static void WriteManifests(string images)
    {
        Directory.CreateDirectory(images);
        foreach (var component in new[] { "dns", "monitor" })
        {
            var image = new CatalogueImage(component, "1", $"managed-servers/{component}:1", new string('0', 64), $"{component}.tar.gz", 1);
            File.WriteAllText(Path.Combine(images, component + ".json"), JsonSerializer.Serialize(image, EngineJson.Options));
        }
    }

    // The product builds its own container; this hands it out as soon as the product serves.
    private sealed class HandOut(TaskCompletionSource<IServiceProvider> when, IServiceProvider services, IHostApplicationLifetime lifetime) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            lifetime.ApplicationStarted.Register(() => when.TrySetResult(services));
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

/// <summary>One product and one browser for all tests: starting them takes longer than most tests.</summary>
[CollectionDefinition(nameof(RunningProduct))]
public sealed class RunningProductDefinition : ICollectionFixture<RunningProduct>;
