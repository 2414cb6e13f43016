using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ManagedServers.Engine;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>The files that the agent and the monitor read on a host.</summary>
public sealed partial class PayloadFiles(Servers.Servers servers, CertificateAuthority authority)
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

    internal async Task<byte[]> AgentConfiguration(HostLayout layout, Guid serverId, Uri api, CancellationToken cancellationToken) =>
        AgentConfiguration(layout, serverId, api, await servers.ReportToken(serverId, cancellationToken));

    public async Task<byte[]> MonitorConfiguration(Guid serverId, Uri api, IReadOnlyList<string> zones, CancellationToken cancellationToken) =>
        MonitorConfiguration(serverId, api, zones, await servers.ReportToken(serverId, cancellationToken));

    internal static byte[] AgentConfiguration(HostLayout layout, Guid serverId, Uri api, string token) => Json(new
    {
        api = Trimmed(api), token, serverId, intervalSeconds = HeartbeatSeconds,
        caFile = $"{layout.Agent}/ca.pem", spoolFolder = $"{layout.Agent}/spool",
    });

    internal static byte[] MonitorConfiguration(Guid serverId, Uri api, IReadOnlyList<string> zones, string token) => Json(new
    {
        api = Trimmed(api), token, serverId, intervalSeconds = SampleSeconds,
        caFile = "/var/lib/monitor/ca.pem", zones,
    });

    [GeneratedRegex(@"^# include (?<file>\S+)\n", RegexOptions.Multiline)]
    private static partial Regex Included();

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
