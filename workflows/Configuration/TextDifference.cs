using System.Text;
using DiffPlex.DiffBuilder;
using DiffPlex.DiffBuilder.Model;

namespace ManagedServers.Workflows.Configuration;

/// <summary>What differs between two texts, as people read it: lines with + and -, and a little of what is around them.</summary>
public static class TextDifference
{
    private const int Around = 2;
    private const int MostLines = 60;

    /// <summary>Empty for equal texts.</summary>
    public static string Of(string before, string after)
    {
        var lines = InlineDiffBuilder.Diff(before, after).Lines;
        var near = new bool[lines.Count];
        foreach (var (index, _) in lines.Index().Where(l => l.Item.Type != ChangeType.Unchanged))
        {
            Array.Fill(near, true, Math.Max(0, index - Around), Math.Min(lines.Count - 1, index + Around) - Math.Max(0, index - Around) + 1);
        }

        var text = new StringBuilder();
        var shown = 0;
        for (var i = 0; i < lines.Count; i++)
        {
            if (!near[i])
            {
                continue;
            }

            if (shown++ == MostLines)
            {
                return text.Append("… and more").ToString();
            }

            if (i > 0 && !near[i - 1])
            {
                text.Append("  …\n");
            }

            text.Append(lines[i].Type switch { ChangeType.Inserted => "+ ", ChangeType.Deleted => "- ", _ => "  " }).Append(lines[i].Text).Append('\n');
        }

        return text.ToString().TrimEnd('\n');
    }
}
