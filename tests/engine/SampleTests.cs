using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Samples;

namespace ManagedServers.Engine.Tests;

/// <summary>The sample of the documentation, as it stands there.</summary>
public sealed class SampleTests
{
    [Fact]
    public async Task The_samples_order_is_approved_paid_sent_and_delivered()
    {
        var shop = new Shop();
        await using var node = await Start(shop);
        var started = await node.Runs.Start<ShipOrder, Order>(new Order("7", 5000, ["a", "b"]), new StartRun { RequestedBy = "ada" });

        await node.Until(started.Id, r => r.Steps.Any(s => s is { Name: "approve", State: StepState.Waiting }));
        await node.Runs.Decide(started.Id, "approve", true, "eve");
        await node.Until(started.Id, r => r.State == RunState.Waiting && r.Reason!.Contains("Waits for 2 of 2 runs", StringComparison.Ordinal));
        for (var delivered = 0; delivered < 2; delivered++)
        {
            var child = (await node.Runs.List(new RunFilter { Parent = started.Id, States = [RunState.Queued, RunState.Running, RunState.Waiting] }))[0];
            await node.Runs.Signal(child.Id, "delivered", "at the door", "carrier");
            await node.Ended(child.Id);
        }

        var run = await node.Ended(started.Id);
        Assert.True(run.State == RunState.Succeeded, run.Reason);
        Assert.Equal(["reserve 7", "charge 5000", "thank r-5000"], shop.Done.Where(d => !d.StartsWith("hand", StringComparison.Ordinal)));
        Assert.Equal(["hand over a", "hand over b"], shop.Done.Where(d => d.StartsWith("hand", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public async Task A_rejected_order_of_the_sample_gives_its_goods_back()
    {
        var shop = new Shop();
        await using var node = await Start(shop);
        var started = await node.Runs.Start<ShipOrder, Order>(new Order("8", 5000, ["a"]), new StartRun { RequestedBy = "ada" });

        await node.Until(started.Id, r => r.Steps.Any(s => s is { Name: "approve", State: StepState.Waiting }));
        await node.Runs.Decide(started.Id, "approve", false, "eve", "too much");

        Assert.Equal(RunState.Failed, (await node.Ended(started.Id)).State);
        Assert.Equal(["reserve 8", "release 8"], shop.Done);
    }

    private static Task<TestNode> Start(IShop shop) =>
        TestNode.Start(services: s => s.AddSingleton(shop).AddWorkflow<ShipOrder>().AddWorkflow<SendParcel>());

    private sealed class Shop : IShop
    {
        public ConcurrentQueue<string> Done { get; } = new();

        public Task<Reservation> EnsureReserved(string order, string label, CancellationToken cancellationToken) => Do($"reserve {order}", new Reservation(label));

        public Task Release(string order, CancellationToken cancellationToken) => Do($"release {order}", 0);

        public Task<Payment?> FindPayment(string label, CancellationToken cancellationToken) => Task.FromResult<Payment?>(null);

        public Task<Payment> Charge(int total, string label, CancellationToken cancellationToken) => Do($"charge {total}", new Payment($"r-{total}"));

        public Task HandOver(string parcel, CancellationToken cancellationToken) => Do($"hand over {parcel}", 0);

        public Task Thank(string receipt, CancellationToken cancellationToken) => Do($"thank {receipt}", 0);

        private Task<T> Do<T>(string what, T result)
        {
            Done.Enqueue(what);
            return Task.FromResult(result);
        }
    }
}
