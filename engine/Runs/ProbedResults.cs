using System.Text.Json;

namespace ManagedServers.Engine;

/// <summary>Notices whether the result of one step is asked for.</summary>
internal sealed class ProbedResults(Func<int, JsonElement?> output, int skipped) : JournalledResults(output)
{
    public bool Reached { get; private set; }

    protected override JsonElement? Output(PlannedStep step)
    {
        Reached |= step.Seq == skipped;
        return base.Output(step);
    }
}
