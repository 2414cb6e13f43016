// A node: <connection string> <node name> [lease, renewal and self-fencing in milliseconds] [workers]
using ManagedServers.Engine;
using ManagedServers.Engine.Child;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
builder.Logging.AddConsole(o => o.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Warning);
builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(args[0]));
builder.Services.AddWorkflow<EffectsWorkflow>().AddWorkflow<WaveWorkflow>().AddWorkflow<ScheduledWorkflow>();
builder.Services.AddEngine(o =>
{
    o.NodeName = args[1];
    o.Workers = args.Length > 5 ? int.Parse(args[5]) : 4;
    if (args.Length > 4)
    {
        o.Lease = TimeSpan.FromMilliseconds(int.Parse(args[2]));
        o.LeaseRenewal = TimeSpan.FromMilliseconds(int.Parse(args[3]));
        o.SelfFencing = TimeSpan.FromMilliseconds(int.Parse(args[4]));
        o.SweepInterval = o.LeaseRenewal;
    }
});
using var host = builder.Build();
await host.StartAsync();
Console.WriteLine("ready");
await host.WaitForShutdownAsync();
Console.WriteLine("stopped");
