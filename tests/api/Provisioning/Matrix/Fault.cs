namespace ManagedServers.Tests.Provisioning.Matrix;

/// <summary>What breaks in the middle of a run.</summary>
internal enum Fault
{
    ConnectionCut,
    HostRebooted,
    DockerKilled,
    ProductKilled,
}

internal static class Faults
{
    public static readonly IReadOnlyList<Fault> All = Enum.GetValues<Fault>();

    /// <summary>Breaks it, and returns when it is whole again.</summary>
    public static async Task Inject(this RegisteredHost host, Fault fault)
    {
        switch (fault)
        {
            case Fault.ConnectionCut:
                await host.Lab.Run("pkill -KILL -f '^sshd: root' || true");
                break;
            case Fault.HostRebooted:
                await host.Lab.LosePower();
                break;
            case Fault.DockerKilled:
                await host.Lab.KillDocker();
                break;
            case Fault.ProductKilled:
                await host.Product.Kill();
                await host.Product.Launch();
                break;
        }
    }
}
