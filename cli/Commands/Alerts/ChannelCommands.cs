using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Alerts;

/// <summary>Who is told.</summary>
internal static class ChannelCommands
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The channel's name" };
    private static readonly Argument<string> Kind = new Argument<string>("KIND") { Description = "webhook, email or rabbitmq" }.AcceptOnlyFromAmong("webhook", "email", "rabbitmq");
    private static readonly Option<string?> NewName = new("--name") { Description = "Call it so from now on.", HelpName = "NAME" };
    private static readonly Option<string?> Severity = new Option<string?>("--severity") { Description = "Tell it only what is at least so severe; info, which is all, if not given.", HelpName = "info|warning|critical" }.AcceptOnlyFromAmong("info", "warning", "critical");
    private static readonly Option<string?> AddressFile = new("--address-file") { Description = "Of a webhook: a file with its address, http or https, which may let its bearer in; - for standard input.", HelpName = "FILE" };
    private static readonly Option<string?> SecretFile = new("--secret-file") { Description = "Of a webhook: a file with the secret that signs its messages, at least 16 characters.", HelpName = "FILE" };
    private static readonly Option<string?> Host = new("--host") { Description = "Of mail: the mail server's name or address.", HelpName = "ADDRESS" };
    private static readonly Option<int?> Port = new("--port") { Description = "Of mail: 587 with STARTTLS, 465 with TLS, 25 without, if never given.", HelpName = "PORT" };
    private static readonly Option<string?> Security = new Option<string?>("--security") { Description = "Of mail: starttls, if never given.", HelpName = "starttls|tls|none" }.AcceptOnlyFromAmong("starttls", "tls", "none");
    private static readonly Option<string?> MailUser = new("--mail-user") { Description = "Of mail: whom the product signs in as; '' for nobody.", HelpName = "NAME" };
    private static readonly Option<string?> MailPasswordFile = new("--mail-password-file") { Description = "With the password in this file; - for standard input.", HelpName = "FILE" };
    private static readonly Option<string?> From = new("--from") { Description = "Of mail: the sender's address.", HelpName = "ADDRESS" };
    private static readonly Option<string[]> To = new("--to") { Description = "Of mail: a recipient's address; may be given several times.", HelpName = "ADDRESS" };
    private static readonly Option<string?> Authority = new("--authority") { Description = "The only authority to trust: a file in PEM; those of the system if never given.", HelpName = "FILE" };
    private static readonly Option<string?> RoutingKey = new("--routing-key") { Description = "Of RabbitMQ: alerts, if never given; a dot and the severity follow.", HelpName = "KEY" };
    private static readonly Option<bool> Enable = new("--enable") { Description = "Tell it." };
    private static readonly Option<bool> Disable = new("--disable") { Description = "Do not tell it." };
    private static readonly Option[] All = [Severity, AddressFile, SecretFile, Host, Port, Security, MailUser, MailPasswordFile, From, To, Authority, RoutingKey, Enable, Disable];

    public static DocumentedCommand List() => new DocumentedCommand("list", "List who is told.") { Examples = ["msctl alerts channels list"] }.Does(async (call, cancellationToken) =>
    {
        var channels = await call.Product.Alerts.Channels(cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(channels.Json);
            return ExitCode.Done;
        }

        var table = new TextTable(("NAME", Fit.Whole), ("KIND", Fit.Whole), ("FROM SEVERITY", Fit.Whole), ("WHERE", Fit.MayShrink));
        foreach (var channel in channels.Value.Items)
        {
            table.Row(new Cell(channel.Name, Tone.Strong), channel.Kind, channel.Enabled ? channel.Severity : new Cell("disabled", Tone.Quiet), Where(channel));
        }

        table.Write(call.Screen, "Nobody is told. Add a channel: msctl alerts channels add NAME KIND");
        return ExitCode.Done;
    });

    public static DocumentedCommand Add() => new DocumentedCommand("add", "Tell alerts to a webhook, by mail, or over RabbitMQ.")
    {
        Notes = ["What fires already is not told to it.", "RabbitMQ is that of msctl settings rabbitmq, its exchange with .alerts behind its name."],
        Examples =
        [
            "msctl alerts channels add chat webhook --address-file hook.address --secret-file hook.secret --severity warning",
            "msctl alerts channels add ops email --host mail.example.org --mail-user alerts --mail-password-file mail.password --from alerts@example.org --to ops@example.org",
            "msctl alerts channels add bus rabbitmq",
        ],
    }.With([Name, Kind, .. All, StartedRuns.Plan]).Does((call, cancellationToken) =>
        StoredChanges.Do(call, AlertsApi.AddChannel(Read(call, call.Get(Name), call.Get(Kind))), added => Tell(call, added, "Added"), cancellationToken));

    public static DocumentedCommand Edit() => new DocumentedCommand("edit", "Change a channel. What is not given stays.")
    {
        Notes = ["A stored password is given again where host, port or user change."], Examples = ["msctl alerts channels edit ops --to ops@example.org --to night@example.org", "msctl alerts channels edit chat --disable"],
    }.With([Name, NewName, .. All, StartedRuns.Plan]).Does((call, cancellationToken) =>
        StoredChanges.Do(call, AlertsApi.EditChannel(call.Get(Name), Read(call, call.Get(NewName), null)), edited => Tell(call, edited, "Changed"), cancellationToken));

    public static DocumentedCommand Remove() => new DocumentedCommand("remove", "Remove a channel with its secrets.") { Examples = ["msctl alerts channels remove chat"] }
        .With(Name, StartedRuns.Plan).Does((call, cancellationToken) =>
            StoredChanges.Do(call, AlertsApi.RemoveChannel(call.Get(Name)), _ => call.Screen.Note($"Removed {SafeText.Line(call.Get(Name))}."), cancellationToken));

    public static DocumentedCommand Test() => new DocumentedCommand("test", "Send a message that says that it is a test.")
    {
        Notes = [$"Ends with {ExitCode.Refused} when it was not taken."], Examples = ["msctl alerts channels test ops"],
    }.With(Name).Does(async (call, cancellationToken) =>
    {
        var test = await call.Product.Alerts.TestChannel(call.Get(Name), cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(test.Json);
        }
        else
        {
            call.Screen.Line(SafeText.Line(test.Value.Ok ? "Taken." : $"Not taken: {test.Value.Problem}"));
        }

        return test.Value.Ok ? ExitCode.Done : ExitCode.Refused;
    });

    private static ChannelChange Read(Invocation call, string? name, string? kind) => new()
    {
        Name = name, Kind = kind, Severity = call.Get(Severity), Enabled = (call.Get(Enable), call.Get(Disable)) switch
        {
            (true, true) => throw new UsageException("--enable and --disable exclude each other."),
            (true, _) => true,
            (_, true) => false,
            _ => null,
        },
        Url = call.Get(AddressFile) is { } address ? SecretInput.Line(address, "The webhook's address") : null, Secret = call.Get(SecretFile) is { } secret ? SecretInput.Line(secret, "The webhook's secret") : null,
        Host = call.Get(Host), Port = call.Get(Port), Security = call.Get(Security), User = call.Get(MailUser),
        Password = call.Get(MailPasswordFile) is { } password ? SecretInput.Line(password, "The password of the mail server") : null, From = call.Get(From), To = call.Get(To) is { Length: > 0 } to ? to : null,
        Authority = call.Get(Authority) is { } authority ? InstallInput.Read(authority, "The authority") : null, RoutingKey = call.Get(RoutingKey),
    };

    private static void Tell(Invocation call, Answer<AlertChannel> answer, string done)
    {
        if (call.Json)
        {
            call.Screen.Json(answer.Json);
            return;
        }

        call.Screen.Line(SafeText.Line($"{answer.Value.Name}: {Where(answer.Value)}"));
        call.Screen.Note($"{done}. To try it: msctl alerts channels test {SafeText.Line(answer.Value.Name)}");
    }

    private static string Where(AlertChannel channel) => channel.Kind switch
    {
        "webhook" => $"{channel.Settings.Origin}{(channel.HasSecret ? ", signed" : "")}",
        "email" => $"{string.Join(", ", channel.Settings.To ?? [])} over {channel.Settings.Host}:{channel.Settings.Port} ({channel.Settings.Security})",
        _ => $"{channel.Settings.RoutingKey}.#",
    };
}
