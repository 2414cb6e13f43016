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
    public List<Zone> Zones { get; } = [new()];
    public List<Address> Listen { get; } = [new()];
    public List<Command> Before { get; } = [];
    public List<Command> After { get; } = [];

    /// <summary>One key for this page, so that a second click starts nothing twice.</summary>
    public string Key { get; } = Guid.NewGuid().ToString();

    /// <summary>What is served now stands in the form, so that a zone which is not there any more was taken out of it.</summary>
    public bool ShowsCurrent { get; private set; }

    /// <summary>The same of the subnets.</summary>
    public bool ShowsCurrentDhcp { get; private set; }

    public bool HasCommands => Before.Count + After.Count > 0;

    public void Show(DnsConfiguration current)
    {
        if (current.Zones.Count > MostShown || current.Zones.Sum(z => z.File!.Length) > LargestShown)
        {
            return;
        }

        Zones.Clear();
        Zones.AddRange(current.Zones.Select(z => new Zone { Name = z.Name!, File = z.File! }));
        Listen.Clear();
        Listen.AddRange(current.Listen.Select(l => new Address { Text = l.Address!, Port = l.Port.ToString(CultureInfo.InvariantCulture) }));
        ShowsCurrent = true;
    }

    public void Show(KeaConfiguration current)
    {
        DhcpDocument = JsonSerializer.Serialize(current.Document, Readable);
        ShowsCurrentDhcp = true;
    }

    /// <exception cref="InvalidInputException">The DHCP document is not JSON.</exception>
    public InstallRequest Request() => new()
    {
        Components = [.. Chosen()],
        DropZones = ShowsCurrent,
        Zones = Dns ? [.. Zones.Select(z => new ZoneRequest(z.Name.Trim(), z.File))] : null,
        Listen = Dns ? [.. Listen.Select(l => new ListenRequest(l.Text.Trim(), Number(l.Port)))] : null,
        Dhcp = Dhcp ? Document() : null,
        DropSubnets = ShowsCurrentDhcp,
        PreCommands = Before.Count == 0 ? null : [.. Before.Select(c => c.Request())],
        PostCommands = After.Count == 0 ? null : [.. After.Select(c => c.Request())],
    };

    /// <summary>Whether the page has a place for what is wrong with this field.</summary>
    public static bool Shows(string field) => field is "zones" or "dhcp" or "components" || field.StartsWith("dhcp.", StringComparison.Ordinal) || field.StartsWith("zones[", StringComparison.Ordinal) || field.StartsWith("listen[", StringComparison.Ordinal)
        || field.StartsWith("preCommands[", StringComparison.Ordinal) || field.StartsWith("postCommands[", StringComparison.Ordinal);

    private IEnumerable<string> Chosen()
    {
        if (Dns)
        {
            yield return Component.Dns;
        }

        if (Dns && Monitor)
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
