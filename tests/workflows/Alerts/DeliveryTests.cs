using System.Text;
using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using ManagedServers.Lab;
using ManagedServers.Workflows.Alerts;
using ManagedServers.Workflows.RabbitMq;
using ManagedServers.Workflows.Tests.Payload;
using ManagedServers.Workflows.Tests.RabbitMq;
using RabbitMQ.Client;

namespace ManagedServers.Workflows.Tests.Alerts;

[Collection(WithDatabase.Name)]
public sealed class DeliveryTests(Database database, SharedBroker broker, SharedMail mail) : IAsyncLifetime
{
    private const string Secret = "word-that-signs-webhooks";
    private NotifyHouse house = null!;
    private Receiver receiver = null!;

    public async Task InitializeAsync()
    {
        house = await NotifyHouse.Of(database);
        receiver = await Receiver.Start();
        await house.Server("ns1");
        await house.Server("ns2");
    }

    public async Task DisposeAsync()
    {
        await house.DisposeAsync();
        await receiver.DisposeAsync();
    }

    [Fact]
    public async Task Webhook_mail_and_RabbitMQ_hear_once_that_alerts_fire_and_once_that_they_are_over()
    {
        var (lab, post) = (await broker.Start(), await mail.Start());
        var topic = await Queue(lab);
        await house.Add(Webhook());
        await house.Add(Mail(post));
        await house.Add(new ChannelRequest { Name = "topic", Kind = ChannelKind.Rabbitmq, RoutingKey = "dns" });
        await house.Add(Webhook() with { Name = "off", Enabled = false });

        Assert.Equal(3, (await house.EvaluateAndTell(("ns1", 95), ("ns2", 99))).Notifications);
        Assert.Equal(0, (await house.EvaluateAndTell(("ns1", 96), ("ns2", 99))).Notifications);
        Assert.All(await house.Runs(3), r => Assert.Equal(RunState.Succeeded, r.State));
        Assert.Equal(3, (await house.EvaluateAndTell(("ns1", 50), ("ns2", 99))).Notifications);
        await house.Runs(6);

        Assert.Equal([["firing full ns1", "firing full ns2"], ["resolved full ns1"]], receiver.All.Select(r => r.Alerts));
        Assert.All(receiver.All, r => Assert.Equal($"sha256={WebhookDelivery.Sign(Secret, r.Timestamp, r.Body)}", r.Signature));
        Assert.Equal(receiver.All.Select(r => r.Json.GetProperty("id").GetString()), receiver.All.Select(r => r.Key));

        var mails = (await post.Mails()).Where(m => m.Contains("To: delivery@example.org", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, mails.Count);
        Assert.Single(mails, m => m.Contains("Subject: [Managed Servers] 2 firing (critical)", StringComparison.Ordinal) && m.Contains("critical: full on ns2 (/)", StringComparison.Ordinal));
        Assert.Single(mails, m => m.Contains("Subject: [Managed Servers] over: full on ns1", StringComparison.Ordinal) && m.Contains("Auto-Submitted: auto-generated", StringComparison.Ordinal));

        List<string> taken = [];
        await Until.True("both messages are in the queue", async () =>
        {
            while (await topic.BasicGetAsync("alerts-of-test", autoAck: true) is { } message)
            {
                taken.Add($"{message.RoutingKey} {JsonDocument.Parse(message.Body).RootElement.GetProperty("alerts").GetArrayLength()}");
            }

            return taken.Count == 2;
        });
        Assert.Equal(["dns.critical 2", "dns.critical 1"], taken);
        await NothingIsTold();
    }

    [Fact]
    public async Task What_a_receiver_does_not_take_is_tried_again_and_what_it_refuses_is_said_in_the_run()
    {
        receiver.Answers.Enqueue(503);
        await house.Add(Webhook());
        await house.EvaluateAndTell(("ns1", 95));
        Assert.Equal(RunState.Succeeded, Assert.Single(await house.Runs(1)).State);
        Assert.Equal(["firing full ns1"], Assert.Single(receiver.All).Alerts);

        receiver.Answers.Enqueue(404);
        await house.EvaluateAndTell(("ns1", 10));
        var failed = (await house.Runs(2)).Single(r => r.State == RunState.Failed);
        Assert.Contains("it answered 404 (NotFound)", failed.Reason, StringComparison.Ordinal);
        Assert.Equal("notify hook: over: full on ns1", failed.Title);

        await house.Get<IRuns>().Retry(failed.Id, "op");
        await Until.True("the retried run has ended", () => receiver.All.Count == 2);
        Assert.Equal(["resolved full ns1"], receiver.All[1].Alerts);
    }

    [Fact]
    public async Task A_node_that_died_before_it_started_the_runs_loses_none_and_doubles_none()
    {
        await house.Add(Webhook());
        await house.Evaluate(("ns1", 95), ("ns2", 95));
        // As after another start, on several nodes at once.
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => house.Get<NotificationRuns>().Start()));

        Assert.Single(await house.Runs(1));
        Assert.Equal(2, Assert.Single(receiver.All).Alerts.Count);
        await using var connection = await house.Source.OpenConnectionAsync();
        Assert.Equal(1, await connection.QuerySingleAsync<int>("select count(*)::int from alerts.notification where sent_at is not null and run_id is not null"));
    }

    [Fact]
    public async Task Nobody_is_told_within_a_maintenance_window_and_what_still_fires_is_told_after_it()
    {
        await house.Add(Webhook());
        var maintenance = new Maintenance(house.Source, house.Get<Workflows.Servers.Servers>(), house.Time);
        await house.EvaluateAndTell(("ns1", 10), ("ns2", 95));
        await house.Runs(1);
        foreach (var server in new[] { "ns1", "ns2" })
        {
            await (await maintenance.Add(new MaintenanceRequest { Server = server, To = house.Time.GetUtcNow().AddSeconds(30), Note = "new disks" }, "op")).Make();
        }

        Assert.Equal(0, (await house.EvaluateAndTell(("ns1", 95), ("ns2", 10))).Notifications);
        var alert = Assert.Single(await new AlertList(house.Source, house.Time).List(new AlertFilter()));
        Assert.Equal(("ns1", AlertState.Firing, false), (alert.Server, alert.State, alert.Notified));
        Assert.NotNull(alert.MaintenanceUntil);

        house.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(1, (await house.EvaluateAndTell(("ns1", 95))).Notifications);
        await house.Runs(2);
        Assert.Equal([["firing full ns2"], ["firing full ns1", "resolved full ns2"]], receiver.All.Select(r => r.Alerts));

        // All servers; and what began and ended within it is never told.
        await (await maintenance.Add(new MaintenanceRequest { To = house.Time.GetUtcNow().AddHours(1) }, "op")).Make();
        await house.EvaluateAndTell(("ns2", 95));
        await house.EvaluateAndTell(("ns2", 10));
        await (await maintenance.End((await maintenance.List())[0].Id)).Make();
        Assert.Equal(0, (await house.EvaluateAndTell(("ns1", 95), ("ns2", 10))).Notifications);
    }

    [Fact]
    public async Task A_channel_hears_of_what_is_as_severe_as_it_wants()
    {
        await house.Add(Webhook() with { Severity = AlertSeverity.Critical });
        await (await house.Get<AlertRules>().Edit("full", new AlertRuleRequest { Severity = AlertSeverity.Warning }, "op")).Make();
        Assert.Equal(0, (await house.EvaluateAndTell(("ns1", 95))).Notifications);
    }

    private ChannelRequest Webhook() => new() { Name = "hook", Kind = ChannelKind.Webhook, Url = receiver.Url, Secret = Secret };

    private static ChannelRequest Mail(LabMail post) => new()
    {
        Name = "mail", Kind = ChannelKind.Email, Host = post.Address, User = LabMail.User, Password = LabMail.Password, From = "product@example.org", To = ["delivery@example.org"], Authority = post.AuthorityPem,
    };

    /// <summary>As a receiver makes it, before or after the product has made its exchange.</summary>
    private async Task<IChannel> Queue(LabBroker lab)
    {
        var name = broker.FreshName();
        await (await house.Get<RabbitMqSettingsStore>().Change(new RabbitMqChange
        {
            Enabled = true, Host = lab.Address, VirtualHost = LabBroker.VirtualHost, User = LabBroker.User, Password = LabBroker.Password, Tls = true, Authority = lab.AuthorityPem, Exchange = name, Queue = name,
        }, "admin")).Make();
        var factory = new ConnectionFactory { HostName = lab.Address, Port = LabBroker.PlainPort, VirtualHost = LabBroker.VirtualHost, UserName = LabBroker.User, Password = LabBroker.Password };
        var channel = await (await factory.CreateConnectionAsync()).CreateChannelAsync();
        await channel.ExchangeDeclareAsync($"{name}.alerts", ExchangeType.Topic, durable: true);
        await channel.QueueDeclareAsync("alerts-of-test", durable: false, exclusive: true, autoDelete: true);
        await channel.QueueBindAsync("alerts-of-test", $"{name}.alerts", "dns.#");
        return channel;
    }

    private async Task NothingIsTold()
    {
        var text = new StringBuilder(JsonSerializer.Serialize(await house.Channels.List(), EngineJson.Options));
        await using var connection = await house.Source.OpenConnectionAsync();
        foreach (var table in new[] { "alerts.channel", "alerts.notification", "engine.run", "engine.step", "engine.log", "engine.event" })
        {
            text.AppendJoin('\n', await connection.QueryAsync<string>($"select t::text from {table} t"));
        }

        Assert.All(new[] { Secret, LabMail.Password, "word-in-the-address" }, secret => Assert.DoesNotContain(secret, text.ToString(), StringComparison.Ordinal));
    }
}
