using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Settings;

/// <summary>The RabbitMQ settings.</summary>
internal static class RabbitMqCommands
{
    public static DocumentedCommand Show() => new DocumentedCommand("show", "Show the settings, and how each node of the product stands to the broker.")
    {
        Examples = ["msctl settings rabbitmq show", "msctl settings rabbitmq show -o json"],
    }.Does(async (call, cancellationToken) =>
    {
        Tell(call, await call.Product.Settings.RabbitMq(cancellationToken));
        return ExitCode.Done;
    });

    public static DocumentedCommand Set() => new DocumentedCommand("set", "Change the settings.")
    {
        Notes =
        [
            "What is not given stays. Every node of the product follows within seconds; a host has what its last install gave it: install it again.",
            "The user needs the rights to configure, write and read in the virtual host. Give hosts one of their own, which may only write to the exchange: --host-user.",
            "A stored password is given again where host, port or user change, or TLS is taken away.",
        ],
        Examples =
        [
            "msctl settings rabbitmq set --enable --host mq.example --virtual-host statistics --user managed-servers --password-file mq.password --tls --authority mq-ca.pem",
            "msctl settings rabbitmq set --host-user hosts --host-password-file hosts.password",
            "msctl settings rabbitmq set --disable",
        ],
    }.With([.. RabbitMqOptions.All, StartedRuns.Plan]).Does((call, cancellationToken) => StoredChanges.Do(
        call, SettingsApi.SetRabbitMq(RabbitMqOptions.In(call) ?? throw new UsageException("Nothing to change was given.", "All options: msctl settings rabbitmq set --help")), changed => Tell(call, changed), cancellationToken));

    public static DocumentedCommand Test() => new DocumentedCommand("test", "Sign in on the broker as the product and as a host, and do there what they do.")
    {
        Notes = ["Tries what is stored, or what is given in its place, which is not kept. Makes the exchange and the queues if they are missing.", $"Ends with {ExitCode.Refused} when it failed."],
        Examples = ["msctl settings rabbitmq test", "msctl settings rabbitmq test --host mq.example --user managed-servers --password-file mq.password"],
    }.With([.. RabbitMqOptions.All]).Does(async (call, cancellationToken) =>
    {
        var test = await call.Product.Settings.TestRabbitMq(RabbitMqOptions.In(call) ?? new RabbitMqChange(), cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(test.Json);
        }
        else
        {
            Write(call.Screen, test.Value);
        }

        return test.Value.Ok ? ExitCode.Done : ExitCode.Refused;
    });

    private static void Write(Screen screen, RabbitMqTest test)
    {
        var table = new TextTable(("SIGNED IN AS", Fit.Whole), ("RESULT", Fit.Whole));
        foreach (var check in test.Checks)
        {
            table.Row(check.Name, check.Ok ? new Cell("ok", Tone.Good) : new Cell("failed", Tone.Bad));
        }

        table.Write(screen, "The product made no check.");
        foreach (var check in test.Checks.Where(c => c.Problem is not null))
        {
            screen.Line();
            screen.Line(SafeText.Line($"{check.Name}: {check.Problem}"));
        }
    }

    private static void Tell(Invocation call, Answer<RabbitMqSettings> settings)
    {
        if (call.Json)
        {
            call.Screen.Json(settings.Json);
            return;
        }

        Page(call.Screen, settings.Value);
    }

    private static void Page(Screen screen, RabbitMqSettings settings)
    {
        var page = new FieldPage(screen);
        page.Field("Enabled", settings.Enabled ? "yes" : "no", settings.Enabled ? Tone.Good : Tone.Quiet);
        page.Field("Broker", settings.Host is { Length: > 0 } host ? $"{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{settings.Port}{(settings.Tls ? " with TLS" : "")}" : "not said");
        page.Field("Virtual host", settings.VirtualHost);
        page.Field("User", settings.User is { Length: > 0 } user ? $"{user}{(settings.HasPassword ? "" : ", without a password")}" : "not said");
        page.Field("Hosts' user", settings.HostUser ?? "the same");
        page.Field("Exchange", settings.Exchange);
        page.Field("Queue", settings.Queue);
        page.Field("Dead letters", settings.DeadLetterQueue);
        page.Field("Changed", settings.ChangedBy is null ? null : $"{Words.Time(settings.ChangedAt)} by {settings.ChangedBy}");
        foreach (var node in settings.Nodes)
        {
            page.Field($"Node {node.Node}", $"{node.State} since {Words.Time(node.Since)}{(node.Reason is null ? "" : $": {node.Reason}")}",
                node.State switch { "connected" => Tone.Good, "failed" => Tone.Bad, _ => Tone.Quiet });
        }

        page.Field("Servers", settings.Servers.Count == 0 ? "none" : string.Join(", ", settings.Servers));
        page.Write();
    }
}
