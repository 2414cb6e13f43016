using System.CommandLine;
using System.Globalization;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Routes;

/// <summary>A jump host on the command line, with the files of its secrets.</summary>
internal static class HopOption
{
    private const string Example = "ops@jump.example:22,key-file=jump.key";

    public static Option<string[]> Make(string more) => new("--hop")
    {
        Description = "A jump host: USER@HOST[:PORT], then with commas key-file=FILE (and passphrase-file=FILE) or password-file=FILE, and host-key=FINGERPRINT. Once for each, in their order. " + more,
        HelpName = "HOP", AllowMultipleArgumentsPerToken = false,
    };

    public static NewHop Parse(string text)
    {
        var parts = text.Split(',');
        var at = parts[0].LastIndexOf('@');
        var (host, port) = at > 0 ? HostAndPort(parts[0][(at + 1)..], text) : throw Wrong(text);
        var hop = new NewHop { Address = host, SshPort = port, SshUser = parts[0][..at] };
        foreach (var part in parts[1..])
        {
            hop = part.Split('=', 2) switch
            {
                ["key-file", { Length: > 0 } file] => hop with { PrivateKey = SecretInput.All(file, "a private key") },
                ["passphrase-file", { Length: > 0 } file] => hop with { Passphrase = SecretInput.Line(file, "a passphrase") },
                ["password-file", { Length: > 0 } file] => hop with { Password = SecretInput.Line(file, "an SSH password") },
                ["host-key", { Length: > 0 } fingerprint] => hop with { HostKey = fingerprint },
                _ => throw Wrong(text),
            };
        }

        return hop;
    }

    /// <summary>Sends the hops again with each key that the operator accepts, until nothing more is asked.</summary>
    public static async Task<int> WithAcceptedKeys(Invocation call, List<NewHop> hops, Func<Task<int>> send)
    {
        while (true)
        {
            try
            {
                return await send();
            }
            catch (RefusedException asked) when (asked.Problem is { Type: "host-key-unknown" or "host-key-changed", Fingerprint: { } shown } && Place(asked, hops) is { } place && hops[place].HostKey is null)
            {
                var hop = hops[place];
                if (asked.Problem.Expected is { } before)
                {
                    call.Screen.Note($"Accepted until now: {SafeText.Line(before)}");
                }

                Servers.AcceptedKey.Judge(call, hop.Address, hop.SshPort, new HostKey(asked.Problem.Algorithm ?? "", shown));
                hops[place] = hop with { HostKey = shown };
            }
        }
    }

    private static int? Place(RefusedException asked, List<NewHop> hops)
    {
        var fields = asked.Problem.Errors?.Keys ?? [];
        var found = Enumerable.Range(0, hops.Count).Where(i => fields.Contains($"hops[{i}].hostKey")).ToList();
        return found.Count == 1 ? found[0] : null;
    }

    private static (string Host, int Port) HostAndPort(string text, string all)
    {
        // An IPv6 address stands in brackets where a port follows it.
        var colon = text.StartsWith('[') ? text.IndexOf("]:", StringComparison.Ordinal) + 1 : text.Count(c => c == ':') == 1 ? text.IndexOf(':', StringComparison.Ordinal) : 0;
        if (colon <= 0)
        {
            return text.Length > 0 ? (text, 22) : throw Wrong(all);
        }

        return int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? (text[..colon], port) : throw Wrong(all);
    }

    private static UsageException Wrong(string text) => new($"This is not a jump host: {SafeText.Line(text)}", $"For example --hop {Example}");
}
