namespace ManagedServers.Engine;

/// <summary>The plan as it was when the run started, stored with the run.</summary>
internal sealed record PlanSnapshot(IReadOnlyList<PlanSnapshot.Step> Steps)
{
    /// <summary>Enough to show a step that has not run yet, and to see whether it is still the same one.</summary>
    internal sealed record Step(string Name, string Title, string Type, StepKind Kind);

    /// <summary>
    /// The first step already begun that the other plan does not have in the same place, or null when what was done fits.
    /// Titles may change; name and class may not.
    /// </summary>
    public string? FirstMisfit(PlanSnapshot other, int stepsBegun)
    {
        for (var i = 0; i < Math.Min(stepsBegun, Steps.Count); i++)
        {
            if (i >= other.Steps.Count || Steps[i].Name != other.Steps[i].Name || Steps[i].Type != other.Steps[i].Type)
            {
                return Steps[i].Name;
            }
        }

        return null;
    }

    public bool SameAs(PlanSnapshot other) => Steps.SequenceEqual(other.Steps);
}
