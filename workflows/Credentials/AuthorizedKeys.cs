using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Credentials;

/// <summary>
/// The keys with which a user may log in on a host. Only lines that the product has written, told by their comment, are ever removed.
/// Every change is written aside and renamed, with the owner and the mode that the file had.
/// </summary>
internal static class AuthorizedKeys
{
    private const string Mark = "managed-servers";

    // A line may begin with options, and a comment line with a key is no key.
    private const string Common = """
        user=$1 key=$2
        home=$(getent passwd "$user" | cut -d: -f6)
        [ -n "$home" ] || { echo "no home folder of $user is known there" >&2; exit 1; }
        folder=$home/.ssh
        file=$folder/authorized_keys
        if [ -L "$file" ]; then file=$(readlink -f "$file") || exit 1; fi
        has() { [ -f "$file" ] && grep -v '^[[:space:]]*#' "$file" | grep -qF -e "$1"; }
        own() { [ "$(id -u)" -ne 0 ] || chown "$user:" "$1"; }
        umask 077
        new=$file.managed-servers.$$
        trap 'rm -f "$new"' EXIT; trap 'exit 1' HUP INT TERM PIPE
        put() { sync "$new" 2>/dev/null || sync; mv -f "$new" "$file"; }

        """;

    private const string AddScript = Common + """
        ! has "$key" || { echo same; exit 0; }
        [ -d "$folder" ] || { mkdir "$folder" && own "$folder" || exit 1; }
        if [ -e "$file" ]; then cp -p "$file" "$new" || exit 1; else : >"$new" && own "$new" || exit 1; fi
        { [ -z "$(tail -c 1 "$new")" ] || echo >>"$new"; } && printf '%s %s\n' "$key" "$3" >>"$new" && put && echo added
        """;

    private const string RemoveScript = Common + """
        has "$key $3" || { has "$key" && echo foreign || echo absent; exit 0; }
        cp -p "$file" "$new" && { grep -vF -e "$key $3" "$file" >"$new" || [ $? -eq 1 ]; } && put && echo removed
        """;

    /// <summary>False when the user may log in with it already, whoever has seen to that.</summary>
    /// <param name="comment">Says what for; after the product's name.</param>
    public static async Task<bool> Add(IHost host, PublicKey key, string comment, CancellationToken cancellationToken) =>
        await Run(host, AddScript, key, $"{Mark} {comment}", cancellationToken) == "added";

    public static async Task<Removal> Remove(IHost host, PublicKey key, CancellationToken cancellationToken) => await Run(host, RemoveScript, key, Mark + " ", cancellationToken) switch
    {
        "removed" => Removal.Removed,
        "foreign" => Removal.Foreign,
        _ => Removal.Absent,
    };

    private static async Task<string> Run(IHost host, string script, PublicKey key, string comment, CancellationToken cancellationToken) =>
        (await host.Run(["sh", "-c", script, "sh", host.Target.User.Text, $"{key.Kind} {key.Blob}", comment], cancellationToken: cancellationToken)).Check().Stdout.Trim();
}

/// <summary>What became of a key that was to go.</summary>
public enum Removal
{
    Removed,

    /// <summary>Somebody else has put it there: it stays.</summary>
    Foreign,
    Absent,
}
