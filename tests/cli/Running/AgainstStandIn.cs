using ManagedServers.Cli.Tests.StandIn;

namespace ManagedServers.Cli.Tests.Running;

/// <summary>Tests of an msctl that is signed in at the stand-in, each with its own of both.</summary>
public abstract class AgainstStandIn : IAsyncLifetime
{
    protected Msctl Msctl { get; } = new();

    protected Product Product { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Product = await Product.Start();
        Prepare();
    }

    public async Task DisposeAsync()
    {
        await Product.DisposeAsync();
        Msctl.Dispose();
    }

    /// <summary>What the stand-in answers from the begin.</summary>
    protected virtual void Prepare() => Msctl.SignedInAt(Product);

    protected static async Task Until(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            await Task.Delay(20, patience.Token);
        }
    }
}
