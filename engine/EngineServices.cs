using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace ManagedServers.Engine;

/// <summary>Puts the engine into a host. It needs an <c>NpgsqlDataSource</c> in the container, and uses any <see cref="IRedactor"/> and <see cref="TimeProvider"/> found there.</summary>
public static class EngineServices
{
    // Steps get 20 s, then those that are left are cancelled and journalled; the default of 30 s would cut that short.
    private static readonly TimeSpan HostShutdown = TimeSpan.FromSeconds(40);

    /// <summary>Adds <see cref="IRuns"/>, and the node that executes runs while the host runs.</summary>
    public static IServiceCollection AddEngine(this IServiceCollection services, Action<EngineOptions>? configure = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(_ =>
        {
            var options = new EngineOptions();
            configure?.Invoke(options);
            options.Check();
            return options;
        });
        services.AddSingleton<EngineDatabase>();
        services.AddKeyedSingleton(EngineDatabase.HotKey, (s, _) => s.GetRequiredService<EngineDatabase>().Hot);
        services.AddSingleton<HangfireStorage>();
        services.AddSingleton<WorkflowCatalog>();
        services.AddSingleton<Text>();
        services.AddSingleton<NodeIdentity>();
        services.AddSingleton<LiveRuns>();
        services.AddSingleton<RunQueue>();
        services.AddSingleton<Journal>();
        services.AddSingleton<Claims>();
        services.AddSingleton<Recovery>();
        services.AddSingleton<RunLogs>();
        services.AddSingleton<LogDays>();
        services.AddSingleton<Notifier>();
        services.AddSingleton<Watchers>();
        services.AddSingleton<NodeLease>();
        services.AddSingleton<Listener>();
        services.AddSingleton<Sweeper>();
        services.AddSingleton<Dispatcher>();
        services.AddSingleton<StepRunner>();
        services.AddSingleton<RunJob>();
        services.AddSingleton<JobRuns>();
        services.AddSingleton<RunReader>();
        services.AddSingleton<RunActions>();
        services.AddSingleton<BulkActions>();
        services.AddSingleton<RunStarter>();
        services.AddSingleton<RunPlanner>();
        services.AddSingleton<Waits>();
        services.AddSingleton<IRuns, Runs>();
        services.AddSingleton<IEngineControl, EngineControl>();
        services.AddSingleton<Housekeeping>();
        services.AddSingleton<ScheduleCheck>();
        services.AddSingleton<ScheduleTable>();
        services.AddSingleton<ScheduleHistory>();
        services.AddSingleton<ScheduleAlarm>();
        services.AddSingleton<ScheduleFirer>();
        services.AddSingleton<ScheduleJob>();
        services.AddSingleton<ScheduleWatch>();
        services.AddSingleton<ISchedules, Schedules>();
        services.AddHostedService<EngineNode>();
        services.Configure<HostOptions>(o => o.ShutdownTimeout = o.ShutdownTimeout > HostShutdown ? o.ShutdownTimeout : HostShutdown);
        return services;
    }

    /// <summary>Makes a workflow known, so that runs of it can be started and executed in this process.</summary>
    public static IServiceCollection AddWorkflow<TWorkflow, TInput>(this IServiceCollection services)
        where TWorkflow : IWorkflow<TInput>
        where TInput : notnull =>
        services.AddSingleton(WorkflowDefinition<TWorkflow, TInput>.Create);

    /// <summary>Makes a workflow known; its input's type is read from the class.</summary>
    public static IServiceCollection AddWorkflow<TWorkflow>(this IServiceCollection services) where TWorkflow : class
    {
        var contract = typeof(TWorkflow).GetInterfaces().SingleOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IWorkflow<>))
            ?? throw new ArgumentException($"{typeof(TWorkflow).Name} is not an IWorkflow<TInput>.");
        var create = typeof(WorkflowDefinition<,>).MakeGenericType(typeof(TWorkflow), contract.GetGenericArguments()[0])
            .GetMethod(nameof(WorkflowDefinition<,>.Create))!.CreateDelegate<Func<IServiceProvider, WorkflowDefinition>>();
        return services.AddSingleton(create);
    }
}
