using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>The links in a component's configuration folder: which configuration is the current one. Each method is one round trip.</summary>
internal static class CurrentConfiguration
{
    // The link to the current configuration is renamed last. What somebody has put in a link's place is moved out of the way.
    private const string Links = """
        link() {
          [ "$(readlink -- "$1")" != "$2" ] || return 0
          [ -L "$1" ] || [ ! -d "$1" ] || { rm -rf -- "$1.altered" && mv -T -- "$1" "$1.altered"; } || return 1
          ln -sfn -- "$2" "$1.new" && mv -T -- "$1.new" "$1"
        }
        use() { target=$1; shift; for name; do link "$name" "current/$name" || return 1; done; link current "$target"; }
        used() { target=$1; shift; for name; do [ "$(readlink -- "$name")" = "current/$name" ] || return 1; done; [ "$(readlink current)" = "$target" ]; }
        cd "$1" && shift || exit 1

        """;

    private const string SetScript = Links + """use "$@" """;

    // What was current before a step's first attempt is written down before its switch: a second attempt must not take its own work for the previous state.
    private const string SwitchScript = Links + """
        note=$1; shift
        now=$(readlink current); previous=$(readlink -- "$note")
        if [ -z "$previous" ]; then
          if used "$@"; then echo "same $now"; exit 0; fi
          previous=${now:-none}; ln -sfn -- "$previous" "$note" || exit 1
        fi
        use "$@" && echo "switched $previous"
        """;

    private const string KeepScript = """
        cd "$1" && shift || exit 1
        for found in * .[!.]*; do
          for kept; do [ "$found" != "$kept" ] || continue 2; done
          [ ! -e "$found" ] && [ ! -L "$found" ] || rm -rf -- "$found"
        done
        """;

    /// <summary>The digest of the current configuration; null when there is none.</summary>
    public static async Task<string?> Read(IHost host, string component, CancellationToken cancellationToken)
    {
        var result = await host.Run(["readlink", "--", $"{HostLayout.Of(host).Config(component)}/current"], cancellationToken: cancellationToken);
        return result.Succeeded ? result.Stdout.Trim() : null;
    }

    /// <summary>By one rename of a link.</summary>
    public static async Task Set(IHost host, string component, string digest, CancellationToken cancellationToken) =>
        (await Run(host, SetScript, [HostLayout.Of(host).Config(component), digest, .. Names(component)], cancellationToken)).Check();

    /// <summary>As <see cref="Set"/>, after what is current has been noted. Whether anything was changed, and what was current before.</summary>
    public static async Task<(bool Changed, string? Previous)> Switch(IHost host, string component, string digest, string note, CancellationToken cancellationToken)
    {
        var said = (await Run(host, SwitchScript, [HostLayout.Of(host).Config(component), note, digest, .. Names(component)], cancellationToken)).Check().Stdout.Trim().Split(' ');
        return (said[0] == "switched", said[1] == None ? null : said[1]);
    }

    /// <summary>What <see cref="Switch"/> has noted; false when it has noted nothing, or that was undone already.</summary>
    public static async Task<(bool Was, string? Previous)> Noted(IHost host, string component, string note, CancellationToken cancellationToken)
    {
        var result = await host.Run(["readlink", "--", $"{HostLayout.Of(host).Config(component)}/{note}"], cancellationToken: cancellationToken);
        return !result.Succeeded ? (false, null) : (true, result.Stdout.Trim() is None ? null : result.Stdout.Trim());
    }

    public static async Task Clear(IHost host, string component, CancellationToken cancellationToken)
    {
        foreach (var name in Names(component).Prepend("current"))
        {
            await host.Remove($"{HostLayout.Of(host).Config(component)}/{name}", cancellationToken);
        }
    }

    /// <summary>Removes configurations and notes that no undo needs any more: a host that is configured every day would keep them all.</summary>
    public static async Task Keep(IHost host, string component, IReadOnlyList<string> digests, CancellationToken cancellationToken) =>
        (await Run(host, KeepScript, [HostLayout.Of(host).Config(component), .. Names(component), "current", .. digests], cancellationToken)).Check();

    /// <summary>What the component looks for in its configuration folder.</summary>
    public static string[] Names(string component) => component == Component.Dhcp ? [KeaConfiguration.FileName] : [KnotConfiguration.FileName, KnotConfiguration.KeyFile, "zones"];

    private const string None = "none";

    private static Task<CommandResult> Run(IHost host, string script, string[] arguments, CancellationToken cancellationToken) =>
        host.Run(["sh", "-c", script, "sh", .. arguments], cancellationToken: cancellationToken);
}
