using System.Text.Json;
using System.Text.Json.Nodes;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.RabbitMq;

namespace ManagedServers.Workflows.Enrolment;

/// <summary>What is put into an order as it is handed out, because it is not kept with it.</summary>
internal static class OrderSecrets
{
    /// <summary>The keys of zone transfers.</summary>
    public static JsonElement WithKeys(JsonElement document, DnsConfiguration dns)
    {
        var order = JsonSerializer.SerializeToNode(document)!;
        foreach (var step in order["steps"]!.AsArray().Where(s => s!["do"]!.GetValue<string>() == OrderDocument.Stage && s["component"]!.GetValue<string>() == Component.Dns))
        {
            if (step!["files"]![KnotConfiguration.KeyFile] is not null)
            {
                step["files"]![KnotConfiguration.KeyFile] = KnotConfiguration.RenderKeys(dns.Keys.Select(ServedKey.Of));
            }
        }

        return JsonSerializer.SerializeToElement(order);
    }

    /// <summary>Where the monitor sends to in place of the product.</summary>
    public static JsonElement WithBroker(JsonElement document, RabbitMqSettings broker)
    {
        var order = JsonSerializer.SerializeToNode(document)!;
        foreach (var step in order["steps"]!.AsArray())
        {
            if (step!["do"]!.GetValue<string>() == OrderDocument.PreflightStep)
            {
                step["broker"] = new JsonObject { ["host"] = broker.Host, ["port"] = broker.Port, ["authority"] = broker.Tls ? broker.Authority : null };
            }

            foreach (var file in step["files"] is JsonArray files ? files.Where(f => Path.GetFileName(f!["path"]!.GetValue<string>()) == OrderDocument.MonitorFile) : [])
            {
                var configuration = JsonNode.Parse(file!["text"]!.GetValue<string>())!;
                configuration["rabbitmq"] = JsonSerializer.SerializeToNode(PayloadFiles.MonitorBroker(broker), EngineJson.Options);
                file["text"] = configuration.ToJsonString(EngineJson.Options) + "\n";
            }
        }

        return JsonSerializer.SerializeToElement(order);
    }
}
