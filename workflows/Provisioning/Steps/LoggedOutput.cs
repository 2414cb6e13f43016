using System.Text;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>
/// A command's output on its way to the run's log. Secrets are taken out before long lines are split, since half a secret looks like none; and what is there already
/// is not logged again when the output comes from its beginning once more.
/// </summary>
internal sealed class LoggedOutput(StepContext step, SecretRedactor redactor)
{
    // What the engine keeps of a line, in bytes.
    private const int LongestLine = 4096;
    private int seen;
    private int logged;
    private string last = "";

    /// <summary>The same output comes again.</summary>
    public void FromTheBeginning() => seen = 0;

    /// <summary>Another one comes.</summary>
    public void Restart() => (seen, logged, last) = (0, 0, "");

    public void Add(CommandLine line)
    {
        seen++;
        // A lost connection may have ended the last line before its time.
        if (seen < logged || (seen == logged && line.Text == last))
        {
            return;
        }

        (logged, last) = (seen, line.Text);
        foreach (var piece in Pieces(redactor.Redact(line.Text)))
        {
            step.Log(piece);
        }
    }

    private static IEnumerable<string> Pieces(string text)
    {
        var (from, at, bytes) = (0, 0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (bytes + rune.Utf8SequenceLength > LongestLine)
            {
                yield return text[from..at];
                (from, bytes) = (at, 0);
            }

            bytes += rune.Utf8SequenceLength;
            at += rune.Utf16SequenceLength;
        }

        yield return text[from..];
    }
}
