using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Hosts.OnHost;

/// <summary>
/// The scripts around kept commands. In the folder of a command lie
/// <c>script</c> and <c>env</c> (what is run), <c>wrapper</c> (who runs it), <c>lock</c> (held by the wrapper and all its children),
/// <c>started</c>, <c>pid</c> (leader of the command's own session), <c>pipe</c> (its output), <c>out</c> (what is kept of that), <c>read</c> (the pipe has
/// come to its end), <c>rc</c> (the exit code, renamed into place) and <c>timed-out</c>. The kernel frees the lock at whatever end, so no state is read from process numbers, which are reused.
/// </summary>
internal static class KeptScripts
{
    /// <summary>
    /// What became of it. The order matters, since the wrapper goes on meanwhile: only what had started before its lock was found
    /// free can be lost, and only if there is no exit code after that.
    /// </summary>
    public const string LookUp = Look + """

        look >&2
        """;

    public const string End = Look + """

        case $(look) in running) ;; *) look >&2; exit 0;; esac
        i=0; while [ ! -s "$d/pid" ] && [ $i -lt 50 ]; do i=$((i+1)); sleep 0.1; done
        read -r pid <"$d/pid" || { echo "no pid of the command" >&2; exit 1; }
        kill -s TERM -- "-$pid" 2>/dev/null || kill -s TERM "$pid" 2>/dev/null
        i=0; while [ "$(look)" = running ] && [ $i -lt 100 ]; do i=$((i+1)); sleep 0.1; done
        [ "$(look)" != running ] || kill -s KILL -- "-$pid" 2>/dev/null
        i=0; while [ "$(look)" = running ] && [ $i -lt 100 ]; do i=$((i+1)); sleep 0.1; done
        look >&2
        """;

    public const string Forget = Look + """

        s=$(look)
        [ "$s" = running ] || {
          [ ! -e "$d" ] || rm -rf "$d"
          p=${d%/*}
          rmdir "$p" "${p%/*}" 2>/dev/null || :
        }
        echo "$s" >&2
        """;

    private const string Look = """
        d=$1
        command -v flock >/dev/null && command -v setsid >/dev/null || { echo "flock and setsid are missing: install the package util-linux" >&2; exit 1; }
        look() {
          if [ -s "$d/rc" ]; then ended; return; fi
          [ -e "$d/lock" ] || { echo none; return; }
          [ -e "$d/started" ] && before=lost || before=none
          if ! flock -n "$d/lock" true; then echo running
          elif [ -s "$d/rc" ]; then ended
          else echo $before; fi
        }
        ended() { read -r rc <"$d/rc"; [ ! -e "$d/timed-out" ] && echo "ended $rc" || echo "ended $rc timed-out"; }
        """;

    // The wrapper is in no process group of the command, so whatever ends the command leaves it there to note the exit code.
    // The timer goes on where its note cannot be written (with `:` the shell would end there). It holds no lock and has a session of its own, so that it can be ended together with its sleep: itself first,
    // since it may not have come to its session yet.
    // All output is read, so that the command never waits or dies for it, but only so much is kept that no disk fills up. The reader is
    // not waited for long: a daemon that the command left behind may hold the pipe for years.
    // One dd for each read: it writes at once what it got, while head alone would keep a slow command's output to itself.
    private const string Wrapper = """
        cd "$1" || exit 1
        exec 9>>lock; flock -w 10 9 || exit 0
        [ ! -e started ] || exit 0
        : >started
        mkfifo pipe || exit 1
        setsid sh -c '
          n=0
          while [ "$n" -lt "$1" ]; do
            dd bs=$(($1-n < 65536 ? $1-n : 65536)) count=1 >>out
            m=$(wc -c <out); [ "$m" -gt "$n" ] || break; n=$m
          done
          [ "$(head -c 1 | wc -c)" -eq 0 ] || printf "\n[Only the first %s bytes of the output are kept.]\n" "$1" >>out
          cat >/dev/null; : >read' sh "$3" <pipe >/dev/null 2>&1 9>&- &
        (cd /; umask 022; . "$1/env"; exec setsid sh "$1/script") </dev/null >pipe 2>&1 &
        c=$!; echo $c >pid; t=
        if [ "$2" -gt 0 ]; then
          setsid sh -c 'sleep "$1"; true >timed-out; kill -s TERM -- "-$2"; sleep 10; kill -s KILL -- "-$2"' sh "$2" $c </dev/null >/dev/null 2>&1 9>&- & t=$!
        fi
        wait $c; rc=$?
        [ -z "$t" ] || { kill -s KILL "$t"; kill -s KILL -- "-$t"; } 2>/dev/null
        i=0; while [ ! -e read ] && [ $i -lt 100 ]; do i=$((i+1)); sleep 0.01; done
        echo $rc >rc.new; sync rc.new 2>/dev/null; mv rc.new rc
        """;

    // The state is read before the output, so at the end all output before the end has been read.
    private const string StartAndFollow = """
        umask 077
        if [ ! -e "$d" ]; then
          new="${d%/*}/.${d##*/}.$$"
          mkdir -p "$new" || exit 1
          printf %s "$script" >"$new/script" && printf %s "$env" >"$new/env" && printf %s "$wrapper" >"$new/wrapper" && : >"$new/lock" && : >"$new/out" || { rm -rf "$new"; exit 1; }
          mv -T "$new" "$d" 2>/dev/null || rm -rf "$new"
        fi
        [ -e "$d/started" ] || setsid sh "$d/wrapper" "$d" "$2" "$3" </dev/null >/dev/null 2>&1 &
        o=0; w=1
        while :; do
          s=$(look)
          [ -e "$d/lock" ] || { s=lost; break; }
          n=$(wc -c <"$d/out")
          if [ "$n" -gt "$o" ]; then
            tail -c +$((o+1)) "$d/out" | head -c $((n-o)) || exit 1
            o=$n; w=1
          fi
          case $s in ended*|lost) break;; esac
          case $w in 1) sleep 0.01; w=2;; 2) sleep 0.02; w=4;; 4) sleep 0.04; w=8;; 8) sleep 0.08; w=16;; 16) sleep 0.16; w=32;; *) sleep 0.4;; esac
        done
        echo "$s" >&2
        """;

    public static string Start(string script, string exports) =>
        $"{Look}\nscript={RemoteCommandLine.Quote(script)}\nenv={RemoteCommandLine.Quote(exports)}\nwrapper={RemoteCommandLine.Quote(Wrapper)}\n{StartAndFollow}\n";
}
