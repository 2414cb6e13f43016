using ManagedServers.Lab;

namespace ManagedServers.Workflows.Tests.Payload;

/// <summary>One host for all tests of a class: each leaves it as it was.</summary>
public sealed class SystemdHost : IAsyncLifetime
{
    public LabHost Lab { get; private set; } = null!;

    public async Task InitializeAsync() => Lab = await LabHost.Start(new LabOptions { Systemd = true });

    public async Task DisposeAsync() => await Lab.DisposeAsync();
}
