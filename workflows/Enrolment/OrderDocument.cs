using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts.Docker;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Enrolment;

/// <summary>
/// Writes down what a host shall do: for each of its steps all that the script needs, rendered here. The containers are those that an automatic install makes, to the letter. It
/// holds no token: the script puts the host's own into the files that need one. Nor does it hold keys or the broker's password: they are put in as it is handed out, and kept encrypted elsewhere.
/// </summary>
public sealed class OrderDocument(Configurations configurations, ImageCatalogue images, PayloadFiles payload, Servers.Servers servers)
{
    private const string Folder = "folder";
    internal const string Stage = "stage";
    internal const string PreflightStep = "preflight";
    internal const string MonitorFile = "config.json";
    private const string KeysPlace = "keys, as the order is handed out";

    public async Task<JsonElement> Install(Guid run, InstallInput input, ArrivedHost host, CancellationToken cancellationToken)
    {
        var (builder, layout) = (new Builder(run, input, host), Layout(host));
        foreach (var configuration in new[] { input.Dns?.ConfigurationId, input.Dhcp?.ConfigurationId }.OfType<Guid>())
        {
            var wanted = await configurations.Get(configuration, cancellationToken);
            builder.Configured[wanted.Component] = (wanted, wanted.For(host.Interfaces));
        }

        var zones = input.Dns?.Zones ?? [.. (await configurations.InstalledDns(input.ServerId, cancellationToken))?.Zones.Select(z => z.Name) ?? []];
        var steps = new JsonArray();
        foreach (var step in HostStep.Installing(input).Concat(HostStep.Ending(input)))
        {
            steps.Add(Step(step, step.Do switch
            {
                PreflightStep => await Preflight(input, layout, cancellationToken),
                "command" => builder.Command(step.Command!, step.Name.Split('-')[0]),
                "folders" => new JsonObject { ["paths"] = Strings(layout.Folders(input.Components)) },
                "image" => Image(builder.Image(step.ComponentName!)),
                Stage => builder.Stage(step.ComponentName!),
                "validate" => builder.Validate(step.ComponentName!),
                "switch" => builder.Switch(step.ComponentName!),
                "container" => Container(builder, layout, step.ComponentName!, zones),
                "agent" => Agent(input, layout),
                "prove-dns" => builder.ProveDns(),
                "prove-dhcp" => builder.ProveDhcp(),
                "settle" => builder.Settle(),
                _ => throw new InvalidOperationException($"Nobody knows how to order '{step.Do}'."),
            }));
        }

        return Document(run, steps);
    }

    public static JsonElement Uninstall(Guid run, UninstallInput input, ArrivedHost host)
    {
        var layout = Layout(host);
        var steps = new JsonArray();
        foreach (var step in HostStep.Uninstalling(input))
        {
            steps.Add(Step(step, step.Do switch
            {
                "check-owner" => new JsonObject { ["agentFolder"] = layout.Agent },
                "remove-container" => new JsonObject { ["container"] = Component.ContainerName(step.ComponentName!) },
                "remove-agent" => new JsonObject { ["script"] = layout.AgentScript, ["text"] = Encoding.UTF8.GetString(PayloadFiles.AgentScript) },
                "remove-images" => new JsonObject { ["repositories"] = Strings(input.Repositories) },
                "remove-folders" => new JsonObject { ["paths"] = Strings(layout.All), ["root"] = layout.Root },
                _ => throw new InvalidOperationException($"Nobody knows how to order '{step.Do}'."),
            }));
        }

        return Document(run, steps);
    }

    private static HostLayout Layout(ArrivedHost host) => new(Hosts.HostLogin.OfFolder(host.Folder));

    private static JsonElement Document(Guid run, JsonArray steps) =>
        JsonSerializer.SerializeToElement(new JsonObject { ["runId"] = run.ToString(), ["key"] = Key(run), ["steps"] = steps });

    private static JsonObject Step(HostStep step, JsonObject told)
    {
        (told["name"], told["title"], told["do"]) = (step.Name, step.Title, step.Do);
        return told;
    }

    private async Task<JsonObject> Preflight(InstallInput input, HostLayout layout, CancellationToken cancellationToken)
    {
        var ports = new JsonArray();
        if (input.Dns is { } dns)
        {
            foreach (var listen in dns.Listen)
            {
                ports.Add(Port(listen, Component.Dns, "knotd", "udp", "tcp"));
            }
        }

        if (input.Dhcp is not null)
        {
            ports.Add(Port(new ListenRequest("0.0.0.0", SystemChecks.DhcpPort), Component.Dhcp, "kea-dhcp4", "udp"));
        }

        return new JsonObject
        {
            ["root"] = true,
            ["architectures"] = Strings(["x86_64"]),
            ["disks"] = Strings(["/var/lib/docker", layout.Root]),
            ["diskBytes"] = Provisioning.Steps.Preflight.NeededDisk,
            ["memoryBytes"] = Provisioning.Steps.Preflight.NeededMemory,
            ["clockSeconds"] = Provisioning.Steps.Preflight.ClockTolerance.TotalSeconds,
            ["agentFolder"] = layout.Agent,
            ["others"] = Strings(await servers.Ids(cancellationToken)),
            ["api"] = input.ApiAddress.ToString().TrimEnd('/'),
            ["ports"] = ports,
        };
    }

    private static JsonObject Port(ListenRequest listen, string component, string program, params string[] protocols) => new()
    {
        ["address"] = listen.Address, ["port"] = listen.Port, ["protocols"] = Strings(protocols), ["program"] = program, ["container"] = Component.ContainerName(component),
    };

    private JsonObject Image(CatalogueImage image)
    {
        using var archive = images.Open(image);
        return new JsonObject
        {
            ["image"] = image.Image, ["size"] = archive.Length, ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(archive)), ["path"] = $"/api/v2/enrolment/images/{image.Component}",
        };
    }

    private JsonObject Container(Builder builder, HostLayout layout, string component, IReadOnlyList<string> zones)
    {
        var container = builder.Container(component);
        container["files"] = component == Component.Monitor
            ? new JsonArray(File($"{layout.Monitor}/ca.pem", payload.AuthorityPem),
                File($"{layout.Monitor}/{MonitorFile}", PayloadFiles.MonitorConfiguration(builder.Input.ServerId, builder.Input.ApiAddress, zones, PayloadFiles.TokenPlace)))
            : [];
        return container;
    }

    private JsonObject Agent(InstallInput input, HostLayout layout) => new()
    {
        ["script"] = layout.AgentScript,
        ["log"] = $"{layout.Agent}/agent.log",
        ["files"] = new JsonArray(
            File($"{layout.Agent}/ca.pem", payload.AuthorityPem),
            File(layout.AgentConfiguration, PayloadFiles.AgentConfiguration(layout, input.ServerId, input.ApiAddress, PayloadFiles.TokenPlace)),
            File(layout.AgentScript, PayloadFiles.AgentScript)),
    };

    private static JsonObject File(string path, string text) => new() { ["path"] = path, ["text"] = text };

    private static JsonObject File(string path, byte[] text) => File(path, Encoding.UTF8.GetString(text));

    private static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(v => JsonValue.Create(v))]);

    // Of Docker's names and of folders: no dashes needed.
    private static string Key(Guid run) => $"{run:N}";

    /// <summary>What depends on the input alone.</summary>
    private sealed class Builder(Guid run, InstallInput input, ArrivedHost host)
    {
        private readonly HostLayout layout = Layout(host);

        public InstallInput Input => input;

        public Dictionary<string, (ComponentConfiguration Wanted, (SortedDictionary<string, byte[]> Files, string Digest) Rendered)> Configured { get; } = [];

        public CatalogueImage Image(string component) => input.Images.Single(i => i.Component == component);

        public JsonObject Command(OperatorCommand command, string phase) => new()
        {
            ["command"] = command.Name, ["text"] = command.Text, ["timeoutSeconds"] = command.TimeoutSeconds, ["repeatable"] = command.Repeatable,
            ["successCodes"] = new JsonArray([.. command.SuccessCodes.Select(c => JsonValue.Create(c))]),
            ["environment"] = JsonSerializer.SerializeToNode(CommandSteps.Environment(input.Commands!.Scene, phase, run, host.From ?? "", layout.Root)),
        };

        public JsonObject Stage(string component)
        {
            var files = new JsonObject();
            foreach (var (name, content) in Configured[component].Rendered.Files)
            {
                files[name] = name == KnotConfiguration.KeyFile ? KeysPlace : Encoding.UTF8.GetString(content);
            }

            return new JsonObject { ["component"] = component, [Folder] = Staged(component), ["files"] = files, ["contents"] = Configured[component].Wanted.Contents };
        }

        public JsonObject Validate(string component)
        {
            var wanted = Configured[component].Wanted;
            var command = ConfigurationCheck.Of(wanted, Image(component), Key(run)) with { Binds = [$"{Staged(component)}:{ConfigurationCheck.Folder(wanted)}:ro"] };
            return new JsonObject
            {
                ["specification"] = JsonNode.Parse(DockerThrowAway.Specification(command, layout.Login).GetRawText()),
                ["refusal"] = component == Component.Dhcp ? "Kea refuses the configuration" : "Knot refuses the configuration or a zone file",
                ["errorMark"] = component == Component.Dhcp ? "Error encountered:" : "error:",
            };
        }

        public JsonObject Switch(string component) => Running(component, new JsonObject
        {
            [Folder] = layout.Config(component), ["digest"] = Configured[component].Rendered.Digest, ["names"] = Strings(CurrentConfiguration.Names(component)),
        });

        public JsonObject Container(string component)
        {
            var (key, image) = ($"{Key(run)}-{component}", Image(component));
            var (json, _) = component switch
            {
                Component.Dns => ContainerSpecification.Dns(layout, image, key, input.Dns!.Listen),
                Component.Dhcp => ContainerSpecification.Dhcp(layout, image, key),
                _ => ContainerSpecification.Monitor(layout, image, key),
            };
            var told = Running(component, new JsonObject { ["specification"] = JsonNode.Parse(json.GetRawText()) });
            if (component == Component.Monitor)
            {
                told["listensAt"] = layout.TapSocket;
            }

            if (component == Component.Dns && Configured[component].Wanted.Dns!.Zones.Where(z => z.IsSecondary).ToList() is { Count: > 0 } secondary)
            {
                told["fetch"] = Strings(Provisioning.Steps.SecondaryZones.Command(secondary));
            }

            return told;
        }

        public JsonObject ProveDns() => new()
        {
            ["container"] = Component.ContainerName(Component.Dns),
            ["question"] = ProveAnswers.Question,
            ["zones"] = Strings(input.Dns!.Own.Select(z => ZoneName.Parse(z).Value)),
            ["signed"] = new JsonArray([.. Configured[Component.Dns].Wanted.Dns!.Zones.Where(z => z.Dnssec).Take(ProveAnswers.MostTold)
                .Select(z => (JsonNode)new JsonObject { ["name"] = z.Name, ["ask"] = Strings(ComponentControl.DelegationSignerCommand(z)) })]),
            ["listen"] = new JsonArray([.. input.Dns.Listen.Select(l => (JsonNode)new JsonObject
            {
                ["address"] = l.Address switch { "0.0.0.0" => "127.0.0.1", "::" => "::1", _ => l.Address }, ["port"] = l.Port,
            })]),
        };

        public JsonObject ProveDhcp() => Running(Component.Dhcp, new JsonObject
        {
            ["mark"] = KeaConfiguration.MarkIn(JsonSerializer.Deserialize<JsonElement>(Configured[Component.Dhcp].Rendered.Files[KeaConfiguration.FileName])),
        });

        public JsonObject Settle() => new()
        {
            ["containers"] = Strings(input.Images.Select(i => Component.ContainerName(i.Component))),
            ["configurations"] = new JsonArray([.. Configured.Keys.Select(c => (JsonNode)new JsonObject { [Folder] = layout.Config(c), ["names"] = Strings(CurrentConfiguration.Names(c)) })]),
        };

        /// <summary>How a running component is told to read its configuration again.</summary>
        private JsonObject Running(string component, JsonObject told)
        {
            (told["component"], told["container"]) = (component, Component.ContainerName(component));
            if (component == Component.Dns)
            {
                told["reload"] = Strings(KnotConfiguration.Control("reload"));
                if (Configured.TryGetValue(component, out var configured) && configured.Wanted.Dns!.Zones.Where(z => z.Dnssec).ToList() is { Count: > 0 } signed)
                {
                    told["forget"] = Strings(ComponentControl.ForgetCommand(signed));
                }
            }
            else if (component == Component.Dhcp)
            {
                told["socket"] = $"{layout.Sockets(Component.Dhcp)}/{Path.GetFileName(KeaConfiguration.ControlSocket)}";
            }

            return told;
        }

        private string Staged(string component) => $"{layout.Config(component)}/{Configured[component].Rendered.Digest}";
    }
}
