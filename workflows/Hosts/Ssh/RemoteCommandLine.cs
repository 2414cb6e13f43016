using System.Text;

namespace ManagedServers.Workflows.Hosts.Ssh;

/// <summary>The only place where command lines for hosts are made.</summary>
internal static class RemoteCommandLine
{
    // Linux takes 128 KiB for one argument, and sshd hands the whole line to the login shell as one.
    private const int Longest = 120_000;
    private const int LongestWord = 900;

    /// <summary>
    /// The line that the login shell gets, whichever shell that is: <paramref name="argv"/> run by sh, with a
    /// marker with the process group first on both outputs, since the login shell's own start-up files may have printed something.
    /// </summary>
    /// <param name="asRoot">Through sudo. All of it then runs as root, so that neither sudo's rules about the environment nor what it prints matter.</param>
    public static string For(IReadOnlyList<string> argv, IReadOnlyDictionary<string, string> environment, string marker, bool withInput, bool asRoot = false)
    {
        if (argv.Count == 0 || argv[0].Length == 0 || argv[0][0] == '-')
        {
            throw new ArgumentException("A command needs a program whose name is not empty and does not begin with a dash.", nameof(argv));
        }

        var exports = string.Concat(environment.Select(e => $"export {EnvironmentName(e.Key)}={Quote(e.Value)};"));
        var input = withInput ? "" : " </dev/null";
        // Non-interactive logins often lack these folders (Ubuntu's snaps put docker into the last), and a login's umask can be anything.
        // Behind sudo the shell is no leader: its group is the fifth field of its line in /proc.
        var group = asRoot ? "read -r _ _ _ _ g _ </proc/$$/stat" : "g=$$";
        var line = ThroughLoginShell(asRoot ? $"{Sudo.Words} " : "", $"{group};echo {marker} $g;echo {marker} $g >&2;unset g;umask 022;PATH=$PATH:/usr/local/bin:/usr/local/sbin:/usr/sbin:/sbin:/snap/bin;{exports}exec {Quote(argv)}{input}");
        return line.Length <= Longest ? line : throw new ArgumentException($"The command is longer than {Longest} characters; pass data through standard input.", nameof(argv));
    }

    /// <summary>An argument vector as a POSIX sh reads it back.</summary>
    public static string Quote(IReadOnlyList<string> argv) => string.Join(' ', argv.Select(Quote));

    public static string Quote(string argument)
    {
        if (argument.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("An argument of a command cannot hold a NUL character.", nameof(argument));
        }

        return argument.Length > 0 && argument.All(IsPlain) ? argument : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }

    public static string EnvironmentName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
            ? name
            : throw new ArgumentException("The name of an environment variable has letters, digits and underscores only and does not begin with a digit.", nameof(name));

    // Inside single quotes sh, csh and fish agree on every character but these: the quote itself, the backslash (fish),
    // '!' and the newline (csh). A program that has them travels as octal escapes and is put together again by sh; in
    // several words, since csh takes 1,024 characters a word.
    private static string ThroughLoginShell(string become, string program)
    {
        if (program.Length <= LongestWord && program.All(IsSameInEveryShell))
        {
            return $"exec {become}/bin/sh -c '{program}'";
        }

        var line = new StringBuilder($"exec {become}/bin/sh -c 'eval \"$(printf %b \"$@\")\"' sh '");
        var word = 0;
        foreach (var b in Encoding.UTF8.GetBytes(program))
        {
            var piece = IsSameInEveryShell((char)b) ? ((char)b).ToString() : "\\0" + Convert.ToString(b, 8).PadLeft(3, '0');
            if ((word += piece.Length) > LongestWord)
            {
                line.Append("' '");
                word = piece.Length;
            }

            line.Append(piece);
        }

        return line.Append('\'').ToString();
    }

    private static bool IsSameInEveryShell(char c) => c is >= ' ' and <= '~' and not ('\'' or '\\' or '!');

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '/' or ':' or '@' or '%' or '+' or ',' or '-' or '=';
}
