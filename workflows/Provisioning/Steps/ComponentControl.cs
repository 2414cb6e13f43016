using System.Text;
using System.Text.Json;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>Speaks to a running component through its control socket.</summary>
internal static class ComponentControl
{
    // Kea takes one command a connection and answers when the sender has no more to say.
    private const string AskOnSocket =
        """
        import os, socket, sys
        folder, name = os.path.split(sys.argv[1])
        os.chdir(folder)  # the path of a socket has 107 characters at most, and a home folder can be long
        kea = socket.socket(socket.AF_UNIX)
        kea.settimeout(30)
        kea.connect(name)
        kea.sendall(sys.stdin.buffer.read())
        kea.shutdown(socket.SHUT_WR)
        while True:
            part = kea.recv(65536)
            if not part:
                break
            sys.stdout.buffer.write(part)
        """;

    /// <summary>Makes it serve the current configuration.</summary>
    /// <param name="before">Of DNS: what was served.</param>
    /// <param name="wanted">Of DNS: what is to be served.</param>
    public static async Task Reload(IHost host, string component, DnsConfiguration? before, DnsConfiguration? wanted, CancellationToken cancellationToken)
    {
        if (component == Component.Dhcp)
        {
            await Kea(host, "config-reload", cancellationToken);
            return;
        }

        // A zone that Knot has unsigned in memory does not go together with what its journal holds from when it was signed before.
        var unsigned = (before?.Zones ?? []).Where(z => !z.Dnssec).Select(z => z.Name).ToHashSet();
        if (wanted?.Zones.Where(z => z.Dnssec && unsigned.Contains(z.Name)).ToList() is { Count: > 0 } signed)
        {
            (await Knot(host, ForgetCommand(signed), null, cancellationToken)).Check();
        }

        (await Knot(host, KnotConfiguration.Control("reload"), null, cancellationToken)).Check();
    }

    /// <inheritdoc cref="Reload" />
    public static async Task ReloadIfRunning(IHost host, string component, DnsConfiguration? before, DnsConfiguration? wanted, CancellationToken cancellationToken)
    {
        if (await host.Docker.FindContainer(Component.ContainerName(component), cancellationToken) is { IsRunning: true })
        {
            await Reload(host, component, before, wanted, cancellationToken);
        }
    }

    /// <summary>What is executed in Knot's container so that it loads zones anew as it reloads. Their journals and keys stay.</summary>
    public static string[] ForgetCommand(IEnumerable<Zone> zones) =>
        KnotConfiguration.Control(["-b", "-f", "zone-purge", "+expire", .. zones.Select(z => ZoneName.Parse(z.Name).Absolute)]);

    /// <summary>What is executed in Knot's container to learn what a signed zone's parent is to have: Knot publishes it for that purpose (RFC 7344), in the very form.</summary>
    public static string[] DelegationSignerCommand(Zone zone) => KnotConfiguration.Control("zone-read", ZoneName.Parse(zone.Name).Absolute, "@", "CDS");

    /// <param name="command">As <see cref="KnotConfiguration.Control"/> gives it.</param>
    public static Task<CommandResult> Knot(IHost host, string[] command, CommandOptions? options, CancellationToken cancellationToken) =>
        host.Run(["docker", "exec", Component.ContainerName(Component.Dns), .. command], options, cancellationToken);

    /// <summary>The arguments of Kea's answer.</summary>
    /// <exception cref="InvalidOperationException">Kea does not answer, or answers with an error: in its own words.</exception>
    public static Task<JsonElement> Kea(IHost host, string command, CancellationToken cancellationToken) => AskKea(host, command, null, [0], cancellationToken);

    /// <inheritdoc cref="Kea" />
    /// <param name="arguments">Null for none.</param>
    /// <param name="results">Kea's numbers for what is no error.</param>
    public static async Task<JsonElement> AskKea(IHost host, string command, object? arguments, int[] results, CancellationToken cancellationToken)
    {
        if (host.Target.Login.Kind == LoginKind.Docker)
        {
            // The socket is the container's root's; the folder around it lets nobody in but our own user.
            await host.Run(["docker", "exec", Component.ContainerName(Component.Dhcp), "/usr/bin/chmod", "0666", KeaConfiguration.ControlSocket], cancellationToken: cancellationToken);
        }

        using var question = new MemoryStream(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(arguments is null ? new { command } : (object)new { command, arguments })));
        var socket = $"{HostLayout.Of(host).Sockets(Component.Dhcp)}/{Path.GetFileName(KeaConfiguration.ControlSocket)}";
        var said = (await host.Run(["python3", "-c", AskOnSocket, socket], new CommandOptions { Stdin = question }, cancellationToken)).Check();
        var answer = JsonSerializer.Deserialize<JsonElement>(said.Stdout);
        return results.Contains(answer.GetProperty("result").GetInt32())
            ? answer.TryGetProperty("arguments", out var found) ? found : default
            : throw new InvalidOperationException($"Kea on {host.Target} answers {command} with: {answer.GetProperty("text").GetString()}");
    }
}
