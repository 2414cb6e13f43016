using System.Globalization;
using System.Security.Cryptography;

namespace ManagedServers.Workflows.Hosts.OnHost;

/// <summary>Files and folders on a host. Never over SFTP, which may be switched off.</summary>
internal sealed class HostFiles(CommandRunner runner, HostTarget target)
{
    private const int TooLong = 91;
    private const int Absent = 92;

    // All files in one round trip, their contents one after another on standard input. A cut connection looks like the end of the input, so
    // the length decides whether a new file is whole.
    private const string WriteScript = """
        write() {
        p=$1 mode=$2 sum=$3 size=$4
        [ ! -d "$p" ] || { echo "$p is a folder" >&2; exit 1; }
        if [ -f "$p" ] && [ ! -L "$p" ] && [ -O "$p" ] && { [ -G "$p" ] || [ "$(id -u)" -ne 0 ]; } && [ "$(stat -c %a "$p")" = "$mode" ] && [ "$(sha256sum <"$p")" = "$sum  -" ]
        then head -c "$size" >/dev/null; echo same; return; fi
        new="${p%/*}/.${p##*/}.managed-servers.$$"
        head -c "$size" >"$new" || exit 1
        [ "$(wc -c <"$new")" -eq "$size" ] || { echo "the contents arrived in part only" >&2; exit 1; }
        { [ "$(id -u)" -ne 0 ] || chown 0:0 "$new"; } && chmod "$mode" "$new" || exit 1
        sync "$new" 2>/dev/null || sync
        mv -f "$new" "$p" || exit 1
        sync "${p%/*}/" 2>/dev/null
        echo written
        }
        umask 077
        new=
        trap '[ -z "$new" ] || rm -f "$new"' EXIT; trap 'exit 1' HUP INT TERM PIPE
        while [ $# -gt 0 ]; do write "$1" "$2" "$3" "$4"; shift 4; done
        """;

    // A folder in which files get the group of the folder, and not of their user, must not count as another one each time.
    private const string FolderScript = """
        mode=$1; shift
        for p; do
        was=made
        if [ -d "$p" ]; then was=there
        [ -O "$p" ] && { [ -G "$p" ] || [ "$(id -u)" -ne 0 ]; } && [ "$(stat -c %a "$p/.")" = "$mode" ] && { echo there; continue; }
        fi
        mkdir -p "$p" && { [ "$(id -u)" -ne 0 ] || chown 0:0 "$p"; } && chmod "00$mode" "$p" && echo $was || exit 1
        done
        """;

    private const string ReadScript = """
        [ -e "$1" ] || { [ -d "${1%/*}/" ] && [ ! -x "${1%/*}/" ] && { echo "Permission denied" >&2; exit 1; }; exit 92; }
        size=$(wc -c <"$1") || exit 1
        [ "$size" -le "$2" ] || { echo "$size" >&2; exit 91; }
        exec cat "$1"
        """;

    private const string RemoveScript = """
        { [ -e "$1" ] || [ -L "$1" ]; } || { echo none; exit 0; }
        rm -rf "$1" && echo removed
        """;

    public async Task<byte[]?> Read(string path, int limit, CancellationToken cancellationToken)
    {
        var result = await Run(ReadScript, [RemotePath.Check(path), Number(limit)], new CommandOptions { OutputLimit = limit }, $"reading {path}", cancellationToken, Absent, TooLong);
        return result.ExitCode switch
        {
            Absent => null,
            TooLong => throw new HostRejectedException(HostProblem.FileTooLong, $"{path} on {target} has {result.Error.Text.Trim()} bytes; at most {limit} were expected. Look at what it holds."),
            _ => result.Output.Bytes,
        };
    }

    /// <returns>For each file, whether it was written.</returns>
    public async Task<IReadOnlyList<bool>> Write(IReadOnlyList<HostFile> files, CancellationToken cancellationToken)
    {
        using var contents = new MemoryStream();
        List<string> arguments = [];
        foreach (var (path, content, mode) in files)
        {
            contents.Write(content.Span);
            arguments.AddRange([RemotePath.Check(path), Octal(mode), Convert.ToHexStringLower(SHA256.HashData(content.Span)), Number(content.Length)]);
        }

        contents.Position = 0;
        var options = new CommandOptions { Stdin = contents, Timeout = TimeSpan.FromMinutes(10) };
        var result = await Run(WriteScript, [.. arguments], options, $"writing {string.Join(", ", files.Select(f => f.Path))}", cancellationToken);
        return Answers(result, "written");
    }

    public async Task<bool> Write(string path, Stream content, int length, string sum, UnixFileMode mode, CancellationToken cancellationToken)
    {
        var options = new CommandOptions { Stdin = content, Timeout = TimeSpan.FromMinutes(10) };
        var result = await Run(WriteScript, [RemotePath.Check(path), Octal(mode), sum, Number(length)], options, $"writing {path}", cancellationToken);
        return result.Output.Text.Trim() == "written";
    }

    /// <returns>For each folder, whether it was made.</returns>
    public async Task<IReadOnlyList<bool>> EnsureFolders(IReadOnlyList<string> paths, UnixFileMode mode, CancellationToken cancellationToken)
    {
        var result = await Run(FolderScript, [Octal(mode), .. paths.Select(RemotePath.Check)], new CommandOptions(), $"making the folder {string.Join(", ", paths)}", cancellationToken);
        return Answers(result, "made");
    }

    public async Task<bool> Remove(string path, CancellationToken cancellationToken)
    {
        var result = await Run(RemoveScript, [RemotePath.Check(path)], new CommandOptions(), $"removing {path}", cancellationToken);
        return result.Output.Text.Trim() == "removed";
    }

    private async Task<RawResult> Run(string script, string[] arguments, CommandOptions options, string doing, CancellationToken cancellationToken, params int[] fine)
    {
        var result = await runner.RunRaw(["sh", "-c", script, "sh", .. arguments], options, $"{doing} on {target}", cancellationToken);
        if (result.ExitCode == 0 || fine.Contains(result.ExitCode))
        {
            return result;
        }

        var said = result.Error.Text.Trim();
        throw said switch
        {
            _ when said.Contains("Permission denied", StringComparison.Ordinal) || said.Contains("not permitted", StringComparison.Ordinal) || said.Contains("Read-only file system", StringComparison.Ordinal) =>
                new HostRejectedException(HostProblem.PermissionDenied, $"User {target.User} may not do this on {target}: {doing} failed with \"{said}\"."),
            _ => HostCommandException.For(new CommandResult { ExitCode = result.ExitCode, Stdout = result.Output.Text, Stderr = said, What = $"{doing} on {target}" }),
        };
    }

    // One line for each thing.
    private static bool[] Answers(RawResult result, string yes) => [.. result.Output.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim() == yes)];

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
