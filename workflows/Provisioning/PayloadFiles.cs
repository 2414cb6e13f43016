using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ManagedServers.Engine;
using ManagedServers.Workflows.RabbitMq;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>The files that the agent and the monitor read on a host.</summary>
public sealed partial class PayloadFiles(Servers.Servers servers, CertificateAuthority authority, RabbitMqSettingsStore rabbitMq)
{
    private const int HeartbeatSeconds = 30;
    private const int SampleSeconds = 10;

    /// <summary>Stands for the token in what a host writes itself: the host has it, and nobody else needs to.</summary>
    internal const string TokenPlace = "{{token}}";

    public string AuthorityPem => authority.Pem;

    public static byte[] AgentScript { get; } = Encoding.UTF8.GetBytes(Included().Replace(Text("Payload.agent.agent.py"), include => Text($"Payload.{include.Groups["file"].Value.Replace('/', '.')}")));

    /// <summary>By which an agent tells whether it is this one.</summary>
    public static string AgentDigest { get; } = Convert.ToHexStringLower(SHA256.HashData(AgentScript));

    public static byte[] EnrolScript { get; } = Encoding.UTF8.GetBytes(Text("Payload.enrol.enrol.py"));

    internal async Task<byte[]> AgentConfiguration(HostLayout layout, Guid serverId, Uri api, StatisticsWay statistics, CancellationToken cancellationToken) =>
        // Who is not to send needs no token.
        statistics == StatisticsWay.Pull ? Json(new { api = Trimmed(api), serverId, intervalSeconds = HeartbeatSeconds, caFile = $"{layout.Agent}/ca.pem", spoolFolder = $"{layout.Agent}/spool", pull = true })
            : AgentConfiguration(layout, serverId, api, await servers.ReportToken(serverId, cancellationToken));

    /// <exception cref="StepRejectedException">It is to send over RabbitMQ, and nobody has said where that is.</exception>
    public async Task<byte[]> MonitorConfiguration(Guid serverId, Uri api, IReadOnlyList<string> zones, StatisticsWay statistics, CancellationToken cancellationToken) =>
        statistics == StatisticsWay.Pull ? Json(new { serverId, intervalSeconds = SampleSeconds, zones, pull = true })
            : MonitorConfiguration(serverId, api, zones, await servers.ReportToken(serverId, cancellationToken), statistics == StatisticsWay.Https ? null
            : await Broker(cancellationToken) ?? throw new StepRejectedException("The monitor is to send over RabbitMQ, which is not enabled. Enable it (msctl settings rabbitmq set --enable), or install with --statistics https."));

    /// <summary>As hosts sign in; null where it is not enabled.</summary>
    internal async Task<RabbitMqSettings?> Broker(CancellationToken cancellationToken) =>
        await rabbitMq.Read(cancellationToken) is { Enabled: true } settings ? settings.ForHosts : null;

    internal static byte[] AgentConfiguration(HostLayout layout, Guid serverId, Uri api, string token) => Json(new
    {
        api = Trimmed(api), token, serverId, intervalSeconds = HeartbeatSeconds,
        caFile = $"{layout.Agent}/ca.pem", spoolFolder = $"{layout.Agent}/spool",
    });

    internal static byte[] MonitorConfiguration(Guid serverId, Uri api, IReadOnlyList<string> zones, string token, RabbitMqSettings? broker = null) => Json(new
    {
        api = Trimmed(api), token, serverId, intervalSeconds = SampleSeconds,
        caFile = "/var/lib/monitor/ca.pem", zones, rabbitmq = broker is null ? null : MonitorBroker(broker),
    });

    [GeneratedRegex(@"^# include (?<file>\S+)\n", RegexOptions.Multiline)]
    private static partial Regex Included();

    /// <summary>Where the monitor sends to in place of the product; it holds a password.</summary>
    internal static object MonitorBroker(RabbitMqSettings broker) => new
    {
        broker.Host, broker.Port, broker.VirtualHost, broker.User, broker.Password, broker.Exchange, authority = broker.Tls ? broker.Authority : null,
    };

    private static string Trimmed(Uri api) => api.ToString().TrimEnd('/');

    private static byte[] Json(object value) => [.. JsonSerializer.SerializeToUtf8Bytes(value, EngineJson.Options), (byte)'\n'];

    private static string Text(string ending)
    {
        var assembly = Assembly.GetExecutingAssembly();
        using var stream = assembly.GetManifestResourceStream(assembly.GetManifestResourceNames().Single(n => n.EndsWith(ending, StringComparison.Ordinal)))!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
