using ManagedServers.Lab;
using ManagedServers.Workflows.Alerts;
using ManagedServers.Workflows.RabbitMq;
using ManagedServers.Workflows.Tests.RabbitMq;

namespace ManagedServers.Workflows.Tests.Alerts;

[Collection(WithDatabase.Name)]
public sealed class ChannelTests(Database database, SharedBroker broker, SharedMail mail) : IAsyncLifetime
{
    private NotifyHouse house = null!;
    private Receiver receiver = null!;

    public async Task InitializeAsync()
    {
        house = await NotifyHouse.Of(database);
        receiver = await Receiver.Start();
    }

    public async Task DisposeAsync()
    {
        await house.DisposeAsync();
        await receiver.DisposeAsync();
    }

    [Fact]
    public async Task A_test_of_a_webhook_says_what_is_wrong()
    {
        var hook = new ChannelRequest { Name = "hook", Kind = ChannelKind.Webhook, Url = receiver.Url };
        await house.Add(hook);
        Assert.True((await house.Get<Deliveries>().Test("hook")).Ok);
        Assert.Equal("test", receiver.All[0].Json.GetProperty("kind").GetString());
        Assert.Equal("", receiver.All[0].Signature);

        receiver.Answers.Enqueue(302);
        await Says("Redirects are not followed");
        receiver.Answers.Enqueue(500);
        await Says("it answered 500");
        await Says("Connection refused", hook with { Url = "http://127.0.0.1:1/" });
        await Says("The SSL connection could not be established", hook with { Url = receiver.Url.Replace("http:", "https:", StringComparison.Ordinal) }, or: "Cannot determine the frame size");
        Assert.Single(receiver.All);

        async Task Says(string expected, ChannelRequest? change = null, string? or = null)
        {
            if (change is not null)
            {
                await (await house.Channels.Edit("hook", change, "op")).Make();
            }

            var test = await house.Get<Deliveries>().Test("hook");
            Assert.False(test.Ok);
            Assert.True(test.Problem!.Contains(expected, StringComparison.Ordinal) || (or is not null && test.Problem.Contains(or, StringComparison.Ordinal)), test.Problem);
        }
    }

    [Fact]
    public async Task A_test_of_a_mail_server_says_what_is_wrong()
    {
        var post = await mail.Start();
        var right = new ChannelRequest
        {
            Name = "mail", Kind = ChannelKind.Email, Host = post.Address, User = LabMail.User, Password = LabMail.Password, From = "product@example.org", To = ["channel@example.org"], Authority = post.AuthorityPem,
        };
        await house.Add(right);
        var (plain, nobody) = (new ChannelRequest { Security = MailSecurity.None, Port = LabMail.PlainPort, User = "" }, new ChannelRequest { To = ["channel@example.org", "nobody@example.org"] });
        (ChannelRequest Change, string? Problem)[] cases =
        [
            (new ChannelRequest(), null),
            (new ChannelRequest { Password = "a-wrong-word" }, "does not let 'alerts' in"),
            (new ChannelRequest { Authority = (await broker.Start()).AuthorityPem }, "does not lead to the channel's authority"),
            (new ChannelRequest { Authority = "" }, "of no authority that this system trusts"),
            (new ChannelRequest { Port = LabMail.PlainPort, Password = LabMail.Password }, "offers no STARTTLS"),
            (plain, null),
            (nobody, "but not for nobody@example.org"),
            (new ChannelRequest { To = ["nobody@example.org"] }, "550 No such user here"),
            (new ChannelRequest { Port = 1 }, "Connection refused"),
        ];
        foreach (var (change, problem) in cases)
        {
            await (await house.Channels.Edit("mail", change, "op")).Make();
            var test = await house.Get<Deliveries>().Test("mail");
            Assert.True(problem is null ? test.Ok : test.Problem?.Contains(problem, StringComparison.Ordinal) == true, $"'{problem}' is not in: {test.Problem}");
        }

        // Both that went well, and the one that went well for one of two.
        Assert.Equal(3, (await post.Mails()).Count(m => m.Contains("Subject: [Managed Servers] Test of a notification", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_topic_without_a_queue_and_a_broker_that_is_not_enabled_are_told()
    {
        await house.Add(new ChannelRequest { Name = "topic", Kind = ChannelKind.Rabbitmq });
        Assert.Contains("RabbitMQ is not enabled", (await house.Get<Deliveries>().Test("topic")).Problem, StringComparison.Ordinal);
        var (lab, name) = (await broker.Start(), broker.FreshName());
        await (await house.Get<RabbitMqSettingsStore>().Change(new RabbitMqChange
        {
            Enabled = true, Host = lab.Address, VirtualHost = LabBroker.VirtualHost, User = LabBroker.User, Password = LabBroker.Password, Tls = true, Authority = lab.AuthorityPem, Exchange = name, Queue = name,
        }, "admin")).Make();
        Assert.Contains($"bind one to the exchange '{name}.alerts' with the key 'alerts.#'", (await house.Get<Deliveries>().Test("topic")).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_is_refused_and_a_stored_password_is_not_sent_elsewhere()
    {
        var hook = new ChannelRequest { Name = "x", Kind = ChannelKind.Webhook, Url = "https://hooks.example.org/T0/secret" };
        var post = new ChannelRequest { Name = "y", Kind = ChannelKind.Email, Host = "mail.example.org", User = "a", Password = "word-of-a", From = "a@example.org", To = ["b@example.org"] };
        await Refused(new ChannelRequest(), "kind", "name");
        await Refused(hook with { Url = "ftp://example.org/" }, "url");
        await Refused(hook with { Url = "https://user:word@example.org/" }, "url");
        await Refused(hook with { Url = "http://169.254.169.254/latest/meta-data" }, "url");
        await Refused(hook with { Url = "http://[fe80::1]/" }, "url");
        await Refused(hook with { Url = "http://[::ffff:169.254.169.254]/" }, "url");
        await Refused(hook with { Url = "http://0.0.0.0/" }, "url");
        await Refused(hook with { Host = "a", RoutingKey = "b" }, "host", "routingKey");
        await Refused(hook with { Secret = "short", Authority = "-----BEGIN" }, "authority", "secret");
        await Refused(post with { Security = MailSecurity.None }, "security");
        await Refused(post with { Password = null }, "password");
        await Refused(post with { From = "nobody", To = ["a@example.org\nBcc: c@example.org", "<b@example.org>"], Host = "a b", Port = 0 }, "from", "host", "port", "to[0]", "to[1]");
        await Refused(post with { To = [] }, "to");
        await Refused(new ChannelRequest { Name = "z", Kind = ChannelKind.Rabbitmq, RoutingKey = "a b" }, "routingKey");

        await house.Add(hook);
        await Refused(hook with { Name = "X" }, "name");
        Assert.Equal(["path of the address:  -> another one", "signed with:  -> another secret"],
            (await house.Channels.Edit("x", new ChannelRequest { Url = "https://hooks.example.org/T0/other", Secret = "a secret of some length" }, "op")).Changes.Select(c => $"{c.Thing}: {c.From} -> {c.To}"));
        var kept = await house.Add(post);
        Assert.Equal((587, MailSecurity.Starttls, true), (kept.Settings.Port, kept.Settings.Security, kept.HasSecret));
        Assert.Equal(["password"], (await Assert.ThrowsAsync<InvalidInputException>(() => house.Channels.Edit("y", new ChannelRequest { Host = "evil.example.org" }, "op"))).Errors.Keys);
        Assert.Equal(["kind"], (await Assert.ThrowsAsync<InvalidInputException>(() => house.Channels.Edit("y", new ChannelRequest { Kind = ChannelKind.Webhook }, "op"))).Errors.Keys);
        await (await house.Channels.Remove("y")).Make();
        await Assert.ThrowsAsync<ChannelNotFoundException>(() => house.Channels.Get("y"));

        async Task Refused(ChannelRequest request, params string[] fields) =>
            Assert.Equal(fields, (await Assert.ThrowsAsync<InvalidInputException>(() => house.Channels.Add(request, "op"))).Errors.Keys.Order(StringComparer.Ordinal));
    }
}
