using ManagedServers.Lab;

namespace ManagedServers.Workflows.Tests.RabbitMq;

/// <summary>One RabbitMQ for all tests of this project, started with the first that asks for it; each test has an exchange and queues of its own.</summary>
public sealed class SharedBroker : IAsyncLifetime
{
    private readonly Lazy<Task<LabBroker>> started = new(() => LabBroker.Start());
    private int made;

    public async Task<LabBroker> Start() => await started.Value;

    public string FreshName() => $"managed-servers.test{Interlocked.Increment(ref made)}";

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (started.IsValueCreated)
        {
            await (await started.Value).DisposeAsync();
        }
    }
}
