using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>The links in a component's configuration folder: which configuration is the current one.</summary>
internal static class CurrentConfiguration
{
    /// <summary>The digest of the current configuration; null when there is none.</summary>
    public static Task<string?> Read(IHost host, string component, CancellationToken cancellationToken) => ReadLink(host, Current(host, component), cancellationToken);

    /// <summary>By one rename of a link.</summary>
    public static async Task Set(IHost host, string component, string digest, CancellationToken cancellationToken)
    {
        foreach (var name in Names(component))
        {
            await Link(host, $"{HostLayout.Of(host).Config(component)}/{name}", $"current/{name}", cancellationToken);
        }

        await Link(host, Current(host, component), digest, cancellationToken);
    }

    public static async Task Clear(IHost host, string component, CancellationToken cancellationToken)
    {
        foreach (var name in Names(component).Prepend("current"))
        {
            await host.Remove($"{HostLayout.Of(host).Config(component)}/{name}", cancellationToken);
        }
    }

    /// <summary>Removes configurations and notes that no undo needs any more: a host that is configured every day would keep them all.</summary>
    public static async Task Keep(IHost host, string component, IReadOnlyList<string> digests, CancellationToken cancellationToken)
    {
        var folder = HostLayout.Of(host).Config(component);
        var found = await host.Run(["ls", "-A1", "--", folder], cancellationToken: cancellationToken);
        foreach (var name in found.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries).Except([.. Names(component), "current", .. digests]))
        {
            await host.Remove($"{folder}/{name}", cancellationToken);
        }
    }

    public static async Task<string?> ReadLink(IHost host, string link, CancellationToken cancellationToken)
    {
        var result = await host.Run(["readlink", "--", link], cancellationToken: cancellationToken);
        return result.Succeeded ? result.Stdout.Trim() : null;
    }

    public static async Task Link(IHost host, string link, string target, CancellationToken cancellationToken)
    {
        (await host.Run(["ln", "-sfn", "--", target, link + ".new"], cancellationToken: cancellationToken)).Check();
        (await host.Run(["mv", "-T", "--", link + ".new", link], cancellationToken: cancellationToken)).Check();
    }

    private static string Current(IHost host, string component) => $"{HostLayout.Of(host).Config(component)}/current";

    /// <summary>What the component looks for in its configuration folder.</summary>
    internal static string[] Names(string component) => component == Component.Dhcp ? [KeaConfiguration.FileName] : ["knot.conf", "zones"];
}
