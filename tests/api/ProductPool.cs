using System.Collections.Concurrent;
using System.Net;

namespace ManagedServers.Tests;

/// <summary>Products that lab hosts reach, each lent to one test at a time: to start one takes longer than most tests need.</summary>
public static class ProductPool
{
    private static readonly ConcurrentBag<ProductProcess> Idle = [];

    static ProductPool() => AfterLastTest.Do(async () =>
    {
        while (Idle.TryTake(out var product))
        {
            await product.DisposeAsync();
        }
    });

    public static async Task<ProductProcess> Borrow(IPAddress bridge)
    {
        while (Idle.TryTake(out var product))
        {
            if (product.ReachableFromHosts.Equals(bridge))
            {
                return product;
            }

            await product.DisposeAsync();
        }

        return await ProductProcess.Start(bridge);
    }

    /// <summary>Without the test's servers it is lent again; one that does not let go of them, as after a failed test, is ended.</summary>
    public static async Task Return(ProductProcess product)
    {
        using var admin = product.Admin();
        try
        {
            var kept = 0;
            foreach (var server in (await admin.GetAsync("/api/v2/pvservers").Json()).GetProperty("items").EnumerateArray())
            {
                using var removed = await admin.DeleteAsync($"/api/v2/pvservers/{server.GetProperty("id").GetString()}?force=true");
                kept += removed.IsSuccessStatusCode ? 0 : 1;
            }

            if (kept == 0)
            {
                Idle.Add(product);
                return;
            }
        }
        catch (HttpRequestException)
        {
            // The test has ended it.
        }

        await product.DisposeAsync();
    }
}
