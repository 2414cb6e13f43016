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

    // Killed again while it takes stock of what it finds, once a second, Docker itself loses the names of containers.
    private static Task DockerHasSettled(RegisteredHost host) => host.Lab.TryRun(
        """
        for i in $(seq 100); do
          docker ps -aq | xargs -r docker inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.State.Running}}' 2> /dev/null | grep -qx 'always false' || break
          sleep 0.1
        done
        """);

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
                await DockerHasSettled(host);
                break;
            case Fault.ProductKilled:
                await host.Product.Kill();
                await host.Product.Launch();
                break;
        }
    }
}
