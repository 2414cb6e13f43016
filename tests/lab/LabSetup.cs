using System.Formats.Tar;
using System.Text;

namespace ManagedServers.Lab;

/// <summary>Turns options into the shell lines that the host runs at its first boot, before any service.</summary>
internal static class LabSetup
{
    public static string Script(LabOptions options, string rootPassword)
    {
        var script = new StringBuilder();
        script.AppendLine($"printf '%s\\n' {Quote("root:" + rootPassword)} | chpasswd");
        AuthorizeKey(script, "root", "/root", options.AuthorizedKey);
        foreach (var user in options.Users)
            AddUser(script, user);
        if (!options.Docker)
            script.AppendLine("rm /usr/bin/docker /usr/sbin/dockerd /usr/bin/containerd /usr/sbin/runc /usr/lib/systemd/system/docker.* /usr/lib/systemd/system/containerd.service /etc/init.d/docker");
        if (!options.Python)
            script.AppendLine("rm /usr/bin/python3*");
        script.AppendLine(options.Setup);
        return script.ToString();
    }

    /// <summary>The tar that Docker unpacks in the root of a host that has not been started yet.</summary>
    public static MemoryStream Archive(string script)
    {
        var archive = new MemoryStream();
        using (var tar = new TarWriter(archive, leaveOpen: true))
        {
            const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "etc/lab-host") { Mode = owner | UnixFileMode.UserExecute });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "etc/lab-host/setup")
            {
                Mode = owner,
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes(script)),
            });
        }

        archive.Position = 0;
        return archive;
    }

    public static string Quote(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private static void AddUser(StringBuilder script, LabUser user)
    {
        var name = Quote(user.Name);
        script.AppendLine($"useradd --create-home --shell {Quote(user.Shell)} {name}");
        script.AppendLine($"printf '%s\\n' {Quote($"{user.Name}:{user.Password}")} | chpasswd");
        foreach (var group in user.Groups)
            script.AppendLine($"usermod --append --groups {Quote(group)} {name}");
        if (user.Sudo)
            script.AppendLine($"printf '%s ALL=(ALL) NOPASSWD: ALL\\n' {name} > /etc/sudoers.d/{name}");
        AuthorizeKey(script, user.Name, $"/home/{user.Name}", user.AuthorizedKey);
    }

    private static void AuthorizeKey(StringBuilder script, string user, string home, string? key)
    {
        if (key is null)
            return;
        var folder = Quote($"{home}/.ssh");
        script.AppendLine($"install -d -m 0700 -o {Quote(user)} {folder}");
        script.AppendLine($"printf '%s\\n' {Quote(key)} > {folder}/authorized_keys");
        script.AppendLine($"chown {Quote(user)} {folder}/authorized_keys");
    }
}
