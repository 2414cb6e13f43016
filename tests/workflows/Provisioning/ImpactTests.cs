using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;

namespace ManagedServers.Workflows.Tests.Provisioning;

/// <summary>Who would notice a change: from what all servers serve.</summary>
[Collection(WithDatabase.Name)]
public sealed class ImpactTests(Database databases)
{
    [Fact]
    public async Task A_server_that_shares_a_zone_with_another_is_the_sole_one_only_for_the_rest()
    {
        await using var database = await databases.Fresh();
        var ns1 = await Add(database, "ns1", Dns("a.example", "b.example"));
        await Add(database, "ns2", Dns("b.example", "c.example"));

        var stop = Assert.Single(await Of(database, ns1, new Concern([Component.Dns, Component.Monitor]), Container(ChangeKind.Stop)));
        Assert.Equal((ServiceInterruption.Stop, 2), (stop.Interruption, stop.Total));
        Assert.Equal(["a.example"], stop.SoleServerFor);
        Assert.Equal(["", "ns2"], stop.Served.Select(s => string.Join(',', s.AlsoServedBy)));

        var reload = Assert.Single(await Of(database, ns1, new Concern([Component.Dns]) { Configurations = [New(Dns("b.example", "c.example"))] }, Container(ChangeKind.Reload)));
        Assert.Equal([("a.example", ServedEffect.Removed), ("c.example", ServedEffect.Added), ("b.example", ServedEffect.Unchanged)], reload.Served.Select(s => (s.Name, s.Effect)));
        Assert.Equal(["a.example"], reload.SoleServerFor);

        Assert.Empty(await Of(database, ns1, new Concern([Component.Dns])));
    }

    [Fact]
    public async Task What_is_taken_away_takes_the_keys_of_zones_with_it_that_are_or_were_signed_whoever_else_serves_them()
    {
        await using var database = await databases.Fresh();
        var dns = Dns("b.example", "a.example", "c.example").Dns!;
        var ns1 = await Add(database, "ns1", ComponentConfiguration.Of(dns with { Zones = [.. dns.Zones.Select(z => z with { Dnssec = z.Name != "c.example" })] }));
        await Add(database, "ns2", Dns("a.example"));
        await Serve(database, ns1.Id, Dns("c.example"));

        Assert.Equal(["a.example", "b.example"], Assert.Single(await Of(database, ns1, new Concern([Component.Dns]) { TakesAway = true }, Container(ChangeKind.Remove))).KeysLost);
        // Also where nobody could look at the host, and of a server that is installed by hand.
        Assert.Equal(["a.example", "b.example"], Assert.Single(await Of(database, ns1, new Concern([Component.Dns]) { TakesAway = true })).KeysLost);
        Assert.Empty(Assert.Single(await Of(database, ns1, new Concern([Component.Dns]), Container(ChangeKind.Stop))).KeysLost);

        await using var uninstalled = database.CreateCommand("delete from servers.component; update servers.server set uninstalled_at = now()");
        await uninstalled.ExecuteNonQueryAsync();
        Assert.Empty(await Of(database, ns1, new Concern([Component.Dns]) { TakesAway = true }));
    }

    [Fact]
    public async Task Subnets_of_shared_networks_count_as_the_others_do()
    {
        await using var database = await databases.Fresh();
        var dhcp1 = await Add(database, "dhcp1", Dhcp("""{"subnet4":[{"subnet":"192.0.2.0/24"}],"shared-networks":[{"name":"x","subnet4":[{"subnet":"198.51.100.0/24"}]}]}"""));
        await Add(database, "dhcp2", Dhcp("""{"subnet4":[{"subnet":"198.51.100.0/24"}]}"""));

        var gone = Assert.Single(await Of(database, dhcp1, new Concern([Component.Dhcp]) { TakesAway = true }, Container(ChangeKind.Remove, Component.Dhcp)));

        Assert.Equal(["192.0.2.0/24"], gone.SoleServerFor);
        Assert.Equal([("192.0.2.0/24", ServedEffect.Removed), ("198.51.100.0/24", ServedEffect.Removed)], gone.Served.Select(s => (s.Name, s.Effect)));
    }

    [Fact]
    public async Task A_run_that_would_fail_before_anything_that_serves_is_changed_is_noticed_by_nobody_and_one_that_fails_later_is()
    {
        await using var database = await databases.Fresh();
        var ns1 = await Add(database, "ns1", Dns("a.example"));
        var looked = Step(1, new StepPreview { Changes = [new PlannedChange(ChangeKind.Add, "file", "dns/zones/a.example.zone")] });
        var refused = new StepPreview { Failure = "The file has an error." };

        Assert.Empty(await Planned(database, ns1, new Concern([Component.Dns]), looked, Step(2, refused), Step(3, null)));
        Assert.Equal(ServiceInterruption.Restart,
            Assert.Single(await Planned(database, ns1, new Concern([Component.Dns]), looked, Step(2, new StepPreview { Changes = [Container(ChangeKind.Restart)] }), Step(3, refused), Step(4, null))).Interruption);
        // Nobody knows what the step before it changes, or whether it is come to at all.
        Assert.Equal(ServiceInterruption.Unknown, Assert.Single(await Planned(database, ns1, new Concern([Component.Dns]), Step(1, null), Step(2, refused))).Interruption);
    }

    private static ComponentConfiguration Dns(params string[] zones) =>
        ComponentConfiguration.Of(new DnsConfiguration { Zones = [.. zones.Select(z => new Zone(z, $"@ SOA ns1.{z}. x.{z}. 1 2 3 4 5\n"))], Listen = [new ListenRequest("0.0.0.0")] });

    private static Configurations Store(NpgsqlDataSource database) => new(database, new Secrets(new EphemeralDataProtectionProvider(), new SecretRedactor()));

    private static ComponentConfiguration Dhcp(string document) => ComponentConfiguration.Of(KeaConfiguration.Parse(JsonSerializer.Deserialize<JsonElement>(document)));

    private static NewConfiguration New(ComponentConfiguration configuration) => new(Guid.NewGuid(), configuration, ConfigurationSource.Install, null, IsNew: true);

    private static PlannedChange Container(ChangeKind kind, string component = Component.Dns) => new(kind, "container", Component.ContainerName(component));

    private static Task<IReadOnlyList<ServiceImpact>> Of(NpgsqlDataSource database, Server server, Concern concern, params PlannedChange[] changes) =>
        Planned(database, server, concern, Step(1, new StepPreview { Changes = changes }));

    private static Task<IReadOnlyList<ServiceImpact>> Planned(NpgsqlDataSource database, Server server, Concern concern, params StepPlan[] steps) =>
        new Impact(Store(database), server, concern).Of(new RunPlan("x", 1, "x", null, steps), default);

    private static StepPlan Step(int seq, StepPreview? preview) => new(seq, "step", "Step", StepKind.Work, null, [], false, false, StepFailure.Pause, preview);

    private static async Task<Server> Add(NpgsqlDataSource database, string name, ComponentConfiguration configuration)
    {
        var id = Guid.NewGuid();
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync(
            """
            insert into servers.server (id, name, address, ssh_port, ssh_user, authentication, credential, report_token, host_key_algorithm, host_key_fingerprint, created_by)
            values (@id, @name, @name, 22, 'root', 'password', '', '', '', @name, 'test')
            """, new { id, name });
        await Serve(database, id, configuration);
        return new Server
        {
            Id = id, Name = name, Address = name, SshPort = 22, SshUser = "root", Authentication = Authentication.Password, Login = HostLogin.Root, HostKey = new HostKey("", name), CreatedAt = DateTimeOffset.UnixEpoch, Components = [],
        };
    }

    private static async Task Serve(NpgsqlDataSource database, Guid server, ComponentConfiguration configuration)
    {
        var made = New(configuration);
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Store(database).Save(transaction, server, Guid.NewGuid(), made, "test");
        await connection.ExecuteAsync(
            """
            insert into servers.component (server_id, name, version, image, configuration_id) values (@server, @Component, '1', 'x', @Id)
            on conflict (server_id, name) do update set configuration_id = @Id
            """, new { server, configuration.Component, made.Id }, transaction);
        await transaction.CommitAsync();
    }
}
