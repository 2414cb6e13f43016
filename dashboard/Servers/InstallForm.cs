using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Dashboard.Servers;

/// <summary>What the install page edits.</summary>
public sealed class InstallForm
{
    // More would make every change of the page slow; such servers are better served by msctl.
    private const int MostShown = 50;
    private const int LargestShown = 512 * 1024;
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public bool Dns { get; set; } = true;
    public bool Monitor { get; set; } = true;
    public bool Dhcp { get; set; }
    public string DhcpDocument { get; set; } = "";
    public string Statistics { get; set; } = "";
    public List<Zone> Zones { get; } = [new()];
    public List<Address> Listen { get; } = [new()];
    public List<TransferKey> Keys { get; } = [];
    public bool DropDnssec { get; set; }
    public List<Command> Before { get; } = [];
    public List<Command> After { get; } = [];

    /// <summary>One key for this page, so that a second click starts nothing twice.</summary>
    public string Key { get; } = Guid.NewGuid().ToString();

    /// <summary>What is served now stands in the form, so that a zone which is not there any more was taken out of it.</summary>
    public bool ShowsCurrent { get; private set; }

    /// <summary>The same of the subnets.</summary>
    public bool ShowsCurrentDhcp { get; private set; }

    /// <summary>A zone that is signed now, and is not to be any more.</summary>
    public bool EndsSigning => Zones.Exists(z => z is { WasSigned: true, Dnssec: false });

    public bool HasCommands => Before.Count + After.Count > 0;

    public void Show(DnsConfiguration current)
    {
        if (current.Zones.Count > MostShown || current.Zones.Sum(z => z.File?.Length ?? 0) > LargestShown)
        {
            return;
        }

        Zones.Clear();
        Zones.AddRange(current.Zones.Select(z => new Zone
        {
            Name = z.Name, File = z.File ?? "", Secondary = z.IsSecondary, Dnssec = z.Dnssec, WasSigned = z.Dnssec,
            Primaries = PeerText.Of(z.Primaries), Notify = PeerText.Of(z.Notify), AllowTransfer = PeerText.Of(z.AllowTransfer),
        }));
        Keys.Clear();
        Keys.AddRange(current.Keys.Select(k => new TransferKey { Name = k.Name!, Algorithm = k.Algorithm!, Kept = true }));
        Listen.Clear();
        Listen.AddRange(current.Listen.Select(l => new Address { Text = l.Address!, Port = l.Port.ToString(CultureInfo.InvariantCulture) }));
        ShowsCurrent = true;
    }

    public void Show(KeaConfiguration current)
    {
        DhcpDocument = JsonSerializer.Serialize(current.Document, Readable);
        ShowsCurrentDhcp = true;
    }

    /// <exception cref="InvalidInputException">The DHCP document is not JSON, or a list of servers is none.</exception>
    public InstallRequest Request() => new()
    {
        Components = [.. Chosen()],
        DropZones = ShowsCurrent,
        DropDnssec = EndsSigning && DropDnssec,
        Zones = Dns ? [.. Zones.Select((z, at) => z.Request($"zones[{at}]"))] : null,
        // One that is kept, and that no zone names any more, goes without a word.
        Keys = Dns
            ? [.. Keys.Where(k => !k.Kept || k.Secret.Length > 0).Select(k => new TsigKey(k.Name.Trim(), k.Algorithm, k.Secret.Length > 0 ? k.Secret.Trim() : null))] : null,
        Listen = Dns ? [.. Listen.Select(l => new ListenRequest(l.Text.Trim(), Number(l.Port)))] : null,
        Dhcp = Dhcp ? Document() : null,
        DropSubnets = ShowsCurrentDhcp,
        Statistics = Statistics.Length > 0 ? Statistics : null,
        PreCommands = Before.Count == 0 ? null : [.. Before.Select(c => c.Request())],
        PostCommands = After.Count == 0 ? null : [.. After.Select(c => c.Request())],
    };

    /// <summary>Whether the page has a place for what is wrong with this field.</summary>
    public static bool Shows(string field) => field is "zones" or "keys" or "dhcp" or "components" or "statistics" || field.StartsWith("dhcp.", StringComparison.Ordinal) || field.StartsWith("zones[", StringComparison.Ordinal) || field.StartsWith("keys[", StringComparison.Ordinal) || field.StartsWith("listen[", StringComparison.Ordinal)
        || field.StartsWith("preCommands[", StringComparison.Ordinal) || field.StartsWith("postCommands[", StringComparison.Ordinal);

    private IEnumerable<string> Chosen()
    {
        if (Dns)
        {
            yield return Component.Dns;
        }

        if ((Dns || Dhcp) && Monitor)
        {
            yield return Component.Monitor;
        }

        if (Dhcp)
        {
            yield return Component.Dhcp;
        }
    }

    private JsonElement Document()
    {
        try
        {
            using var document = JsonDocument.Parse(DhcpDocument, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new InvalidInputException("dhcp", $"is not a JSON document: {e.Message}");
        }
    }

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    public sealed class Zone
    {
        public string Name { get; set; } = "";
        public string File { get; set; } = "";
        public bool Secondary { get; set; }
        public string Primaries { get; set; } = "";
        public bool Dnssec { get; set; }
        public bool WasSigned { get; init; }
        public string Notify { get; set; } = "";
        public string AllowTransfer { get; set; } = "";

        /// <summary>Opened at first where there is something in it.</summary>
        public bool HasMore => Notify.Length + AllowTransfer.Length > 0 || Dnssec;

        public ZoneRequest Request(string field) => new(Name.Trim(), Secondary ? null : File)
        {
            Primaries = Secondary ? PeerText.Servers($"{field}.primaries", Primaries) : null, Dnssec = !Secondary && Dnssec,
            Notify = PeerText.Servers($"{field}.notify", Notify), AllowTransfer = PeerText.Rules(AllowTransfer),
        };
    }

    public sealed class TransferKey
    {
        public string Name { get; set; } = "";
        public string Algorithm { get; set; } = TsigKey.DefaultAlgorithm;
        public string Secret { get; set; } = "";

        /// <summary>The server has it: its secret stays where none is given.</summary>
        public bool Kept { get; init; }
    }

    public sealed class Address
    {
        public string Text { get; set; } = "0.0.0.0";
        public string Port { get; set; } = "53";
    }

    public sealed class Command
    {
        public string Name { get; set; } = "";
        public string Text { get; set; } = "";
        public string Seconds { get; set; } = "300";
        public bool Repeatable { get; set; }

        public CommandRequest Request() => new() { Name = Name, Command = Text, TimeoutSeconds = Number(Seconds), Repeatable = Repeatable };
    }
}
