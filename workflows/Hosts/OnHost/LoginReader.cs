using System.Globalization;

namespace ManagedServers.Workflows.Hosts.OnHost;

/// <summary>Asks a host what the login itself may do, without becoming anybody else.</summary>
internal sealed class LoginReader(CommandRunner runner, HostTarget target)
{
    // Without an answer of the engine, `docker info` tells of its template; `docker ps` tells why.
    // Become root as every later command will, not with some harmless program that a rule may allow alone.
    private const string Script = $$$"""
        LC_ALL=C; export LC_ALL
        echo "uid $(id -u)"; echo "groups $(id -Gn)"
        [ -d "$HOME" ] && [ -w "$HOME" ] && printf 'home %s\n' "$HOME"
        s=$({{{Sudo.Words}}} /bin/sh -c 'echo; echo "user $(id -u)"' 2>&1 </dev/null)
        echo "sudo $(printf '%s\n' "$s" | tail -n 1)"
        if d=$(timeout 20 docker info --format 'engine {{.ServerVersion}} {{.SecurityOptions}}' 2>&1 </dev/null); then echo "docker $(printf '%s\n' "$d" | grep '^engine ')"
        else d=$(timeout 10 docker ps -q 2>&1 </dev/null); echo "dockerproblem $(printf '%s\n' "$d" | grep -i -m 1 -e 'permission denied' -e 'cannot connect' || printf '%s\n' "$d" | tail -n 1)"; fi
        """;

    public async Task<LoginFacts> Read(CancellationToken cancellationToken)
    {
        var options = new CommandOptions { Timeout = TimeSpan.FromSeconds(60), AsRoot = false };
        var raw = await runner.RunScript(Script, [], options, $"looking at what user {target.User} may do on {target}", cancellationToken);
        return Parse(raw.Output.Text);
    }

    internal static LoginFacts Parse(string text)
    {
        var lines = text.Split('\n').Select(l => l.Split(' ', 2)).Where(l => l.Length == 2).ToLookup(l => l[0], l => l[1].Trim());
        var (sudo, groups, docker) = (lines["sudo"].FirstOrDefault() ?? "", lines["groups"].FirstOrDefault() ?? "", lines["docker"].FirstOrDefault());
        var problem = docker?.Contains("rootless", StringComparison.Ordinal) == true ? "its Docker runs rootless, and such an engine cannot serve on the host's own addresses"
            : docker is not null ? null : DockerProblem(lines["dockerproblem"].FirstOrDefault() ?? "", groups.Split(' ').Contains("docker"));
        return new LoginFacts
        {
            UserId = int.TryParse(lines["uid"].FirstOrDefault(), CultureInfo.InvariantCulture, out var id) ? id : -1,
            Home = lines["home"].FirstOrDefault(IsUsable),
            SudoProblem = sudo == "user 0" ? null : sudo.Length > 0 ? Short(sudo) : "it says nothing",
            DockerProblem = problem,
        };
    }

    /// <summary>For one in the group, an engine that does not run is no problem of the login.</summary>
    private static string? DockerProblem(string said, bool inGroup) => (inGroup, said) switch
    {
        (false, _) when said.StartsWith("timeout:", StringComparison.Ordinal) => "there is no docker command",
        (false, _) => "it may not use Docker, because it is not in the group docker",
        _ when said.Contains("permission denied", StringComparison.OrdinalIgnoreCase) => $"{Short(said)} (it is in the group docker: the socket must belong to that group, chgrp docker /var/run/docker.sock)",
        _ => null,
    };

    // Docker takes what stands before a colon for the folder to mount.
    private static bool IsUsable(string home) =>
        home.Length is > 1 and <= 200 && home[0] == '/' && !home.EndsWith('/') && !home.Contains("//", StringComparison.Ordinal) && !home.Any(c => char.IsControl(c) || c == ':')
        && home.Split('/').All(p => p is not ("." or ".."));

    private static string Short(string said) => (said.Length > 300 ? said[..300] + "…" : said).TrimEnd('.');
}
