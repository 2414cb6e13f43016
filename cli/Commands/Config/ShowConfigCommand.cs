using System.CommandLine;
using System.Text.Json;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Config;

/// <summary>What a server serves, as an overview or as the very text.</summary>
internal static class ShowConfigCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<string?> Zone = new("--zone") { Description = "Only this zone's file.", HelpName = "NAME" };
    private static readonly Option<bool> Dhcp = new("--dhcp") { Description = "Only Kea's document." };
    private static readonly Option<int?> Version = new("--version") { Description = "With --zone or --dhcp: as it was in this version. The one that is served if not given.", HelpName = "N" };
    private static readonly JsonWriterOptions Readable = new() { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static DocumentedCommand Build() => new DocumentedCommand("show", "Show what a server serves.")
    {
        Notes = ["A zone or a document can be written to a file, changed, and given to `msctl config apply`."],
        Examples = ["msctl config show ns1", "msctl config show ns1 --zone example.org", "msctl config show dhcp1 --dhcp --version 3"],
    }.With(Name, Zone, Dhcp, Version).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var (zone, dhcp, version) = (call.Get(Zone), call.Get(Dhcp), call.Get(Version));
        if (zone is not null && dhcp)
        {
            throw new UsageException("Both --zone and --dhcp were given.");
        }

        if (version is not null && zone is null && !dhcp)
        {
            throw new UsageException("--version needs --zone or --dhcp.");
        }

        if (zone is null && !dhcp)
        {
            var all = await call.Product.Configuration.Current(call.Get(Name), cancellationToken);
            if (call.Json)
            {
                call.Screen.Json(all.Json);
            }
            else
            {
                Overview(call, all.Value.Items);
            }

            return ExitCode.Done;
        }

        var (configuration, json) = await Of(call, dhcp ? "dhcp" : "dns", version, cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(json);
        }
        else
        {
            Text(call.Screen, zone is null ? Document(configuration.Dhcp!.Value) : File(configuration, zone, call.Get(Name)));
        }

        return ExitCode.Done;
    }

    private static async Task<(Configuration, string)> Of(Invocation call, string component, int? version, CancellationToken cancellationToken)
    {
        var name = call.Get(Name);
        if (version is { } number)
        {
            var one = await call.Product.Configuration.Version(name, component, number, cancellationToken);
            return (one.Value, one.Json);
        }

        var all = await call.Product.Configuration.Current(name, cancellationToken);
        var index = all.Value.Items.Index().Where(c => c.Item.Version.Component == component).Select(c => (int?)c.Index).FirstOrDefault()
            ?? throw new UsageException($"{component} is not installed on {name}.");
        using var document = JsonDocument.Parse(all.Json);
        return (all.Value.Items[index], document.RootElement.GetProperty("items")[index].GetRawText());
    }

    private static string File(Configuration configuration, string zone, string server)
    {
        var wanted = zone.TrimEnd('.').ToLowerInvariant();
        var found = configuration.Dns!.Zones.FirstOrDefault(z => z.Name == wanted)
            ?? throw new UsageException($"Version {configuration.Version.Version} of dns on {server} has no zone {wanted}.", $"Which there are: msctl config show {ShellWord.Of(server)}");
        return found.File ?? throw new UsageException($"{wanted} is a secondary zone of {server}: its contents are not the product's.", $"Where it comes from: msctl config show {ShellWord.Of(server)} -o json");
    }

    private static string? Names(IEnumerable<Zone> zones) => string.Join(", ", zones.Select(z => z.Name)) is { Length: > 0 } names ? names : null;

    private static string Document(JsonElement dhcp)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Readable))
        {
            dhcp.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    // To the letter into a file or a pipe, harmless on a terminal.
    private static void Text(Screen screen, string text)
    {
        if (!screen.IsTerminal)
        {
            screen.Out.Write(text.EndsWith('\n') ? text : text + "\n");
            return;
        }

        foreach (var line in SafeText.Lines(text))
        {
            screen.Line(line);
        }
    }

    private static void Overview(Invocation call, IReadOnlyList<Configuration> items)
    {
        foreach (var (index, item) in items.Index())
        {
            if (index > 0)
            {
                call.Screen.Line();
            }

            var page = new FieldPage(call.Screen);
            page.Field("Component", item.Version.Component, Tone.Strong);
            page.Field("Version", $"{item.Version.Version}, {item.Version.Source} by {item.Version.Who}, {Words.Ago(item.Version.At, call.Now)}");
            page.Field("Message", item.Version.Message);
            if (item.Dns is { } dns)
            {
                page.Field("Listens on", string.Join(", ", dns.Listen.Select(l => $"{l.Address} port {l.Port}")));
                page.Field("Zones", string.Join(", ", dns.Zones.Select(z => z.Name)));
                page.Field("Signed", Names(dns.Zones.Where(z => z.Dnssec is { ValueKind: JsonValueKind.True })));
                page.Field("Secondary", Names(dns.Zones.Where(z => z.File is null)));
                page.Field("Keys", dns.Keys is { Count: > 0 } keys ? string.Join(", ", keys.Select(k => k.Name)) : null);
            }

            page.Field("Document", item.Dhcp is null ? null : $"msctl config show {ShellWord.Of(call.Get(Name))} --dhcp");
            page.Write();
        }

        if (items.Count == 0)
        {
            call.Screen.Note("It serves nothing yet.", Tone.Quiet);
        }
    }
}
