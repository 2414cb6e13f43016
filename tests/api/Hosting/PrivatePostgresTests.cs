using System.Net;

namespace ManagedServers.Tests.Hosting;

/// <summary>The product's own database, when something else than the product touches it.</summary>
public sealed class PrivatePostgresTests
{
    [Fact]
    public async Task A_second_start_is_refused_in_one_sentence_and_a_killed_database_is_started_again_while_the_product_goes_on()
    {
        await using var product = await ProductProcess.Start();
        using var admin = product.Admin();
        var postgres = product.PostgresId;

        var (exitCode, said) = await product.ServeTwice();

        Assert.Equal((1, "managed-servers could not start: Another process runs as node 'test' on this database. Give each node a name of its own, or stop the other one.\n"), (exitCode, said));
        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/api/v2/pvservers")).StatusCode);
        Assert.Equal(postgres, product.PostgresId);

        Assert.Contains($"https://{product.Address.Authority} cannot be listened on: Address already in use", (await product.ServeTwice("--listen", $"https://{product.Address.Authority}")).Said, StringComparison.Ordinal);
        foreach (var (database, told) in new[] { ("Host=db;Username=ms;Password=hunter2secret", "--database must not hold the password"), ("garbage", "--database is no connection string") })
        {
            (exitCode, said) = await product.ServeTwice("--database", database);
            Assert.NotEqual(0, exitCode);
            Assert.Contains(told, said, StringComparison.Ordinal);
            Assert.DoesNotContain("hunter2secret", said, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
        }

        product.KillPostgres();

        await ProductProcess.Until(() => product.Output.Contains("The private PostgreSQL had ended and was started again", StringComparison.Ordinal), "PostgreSQL is started again");
        List<HttpStatusCode> meanwhile = [];
        await ProductProcess.Until(async () =>
        {
            meanwhile.Add((await admin.GetAsync("/api/v2/pvservers")).StatusCode);
            return meanwhile[^1] == HttpStatusCode.OK;
        }, "the product answers again");
        Assert.All(meanwhile.SkipLast(1), status => Assert.Equal(HttpStatusCode.ServiceUnavailable, status));
        Assert.NotEqual(postgres, product.PostgresId);
        Assert.Equal(0, await product.Stop());
    }
}
