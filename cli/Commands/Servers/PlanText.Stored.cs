using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Servers;

/// <content>Plans of what starts no run: what would be stored otherwise, what comes of it, and whom it concerns.</content>
internal sealed partial class PlanText
{
    public void Write(StoredPlan plan)
    {
        Line($"Plan: {plan.Title}", Tone.Strong);
        screen.Line();
        foreach (var change in plan.Changes)
        {
            Line($"  {change.Thing}: {(change.From is null ? $"now {change.To}" : $"{change.From} -> {change.To ?? "gone"}")}", change.To is null ? Tone.Bad : Tone.Plain);
            Detail(change.Detail is { Length: > 0 } detail ? SafeText.Lines(detail) : [], "    ");
        }

        if (plan is { OnHosts: { } onHosts, Changes.Count: > 0 })
        {
            screen.Line();
            Line(onHosts, Tone.Plain);
        }

        if (plan.Proof is { } proof)
        {
            screen.Line();
            Line($"Before anything is kept, and not for this plan: {proof}", Tone.Plain);
        }

        if (plan.Servers.Count > 0)
        {
            screen.Line();
            Line(plan.TotalServers == 1 ? "The server that it concerns" : $"The {plan.TotalServers} servers that it concerns", Tone.Strong);
            foreach (var server in plan.Servers)
            {
                Line($"  {server.Server}{(server.Services.Count == 0 ? " serves nobody" : "")}", Tone.Plain);
                foreach (var service in server.Services)
                {
                    Impact(server.Server, service, "    ");
                }
            }

            if (plan.TotalServers > plan.Servers.Count)
            {
                Line($"  and {Words.Many(plan.TotalServers - plan.Servers.Count, "more server")}", Tone.Quiet);
            }
        }

        screen.Line();
        foreach (var note in plan.Notes)
        {
            Line(note, Tone.Warning);
        }

        var stored = plan.Changes.Count == 0 ? "Nothing would be stored otherwise" : $"{Words.Many(plan.Changes.Count, "thing")} would be stored otherwise";
        Line($"{stored}{(plan.OnHosts is null || plan.Changes.Count == 0 ? ", and nothing changes on any host" : "")}. Nothing was done.", Tone.Strong);
    }
}
