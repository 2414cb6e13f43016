using System.Text.Json;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Enrolment;

/// <summary>What a host says of itself as it checks in.</summary>
/// <param name="Interfaces">Those that are up and have IPv4.</param>
public sealed record HostCheckIn(string? HostName, string? Os, string? OsId, string? Architecture, string? Python, string? User, IReadOnlyList<string>? Interfaces)
{
    internal void Check()
    {
        var errors = new InputErrors();
        foreach (var (field, text) in new[] { ("hostName", HostName), ("os", Os), ("osId", OsId), ("architecture", Architecture), ("python", Python), ("user", User) })
        {
            Line(field, text, 255);
        }

        if (Interfaces?.Count > 200)
        {
            errors.Add("interfaces", "must have at most 200 entries");
        }

        foreach (var (index, name) in (Interfaces ?? []).Index())
        {
            // Longest name of an interface in Linux.
            Line($"interfaces[{index}]", name, 15);
        }

        errors.ThrowIfAny();

        void Line(string field, string? text, int longest)
        {
            if (text?.Length > longest || text?.Any(char.IsControl) == true)
            {
                errors.Add(field, $"must be one line of at most {longest} characters");
            }
        }
    }
}

/// <summary>The run for which a host works now.</summary>
/// <param name="Session">Which start of the line this is; an older one may not report any more.</param>
public sealed record CheckedIn(Guid RunId, int Session, string Server, string Title);

/// <summary>How a host gets on with its order.</summary>
public sealed record HostReports(Guid RunId, int Session, IReadOnlyList<HostReport>? Reports)
{
    private static readonly string[] States = ["began", "said", "progress", Changed, "unchanged", "done", "failed", Undone, Alive];
    internal const string Changed = "changed";
    internal const string Undone = "undone";
    internal const string Alive = "alive";

    internal void Check()
    {
        var errors = new InputErrors();
        if (Reports?.Count > 500)
        {
            errors.Add("reports", "must have at most 500 entries");
        }

        foreach (var (index, report) in (Reports ?? []).Take(500).Index())
        {
            if (report is null || !States.Contains(report.State))
            {
                errors.Add($"reports[{index}].state", $"must be one of {string.Join(", ", States)}");
            }
            else if (report.Step is not { Length: <= 200 } || report.Text?.Length > 4000 || (report.Text + report.Step).Contains('\0', StringComparison.Ordinal))
            {
                errors.Add($"reports[{index}]", "must have a step of at most 200 and a text of at most 4000 characters, without NUL characters");
            }
        }

        errors.ThrowIfAny();
    }
}

/// <param name="State">began, said, progress, changed, unchanged, done, failed; undone when the host has taken it back as a later step failed; alive says nothing but that the host works.</param>
public sealed record HostReport(string Step, string State, string? Text, double? Fraction);

/// <summary>A report as a run reads it.</summary>
internal sealed record StoredReport(long Id, string State, string Text, double? Fraction, DateTime At);

/// <summary>An order as a run sees it.</summary>
/// <param name="Silent">How long the host has said nothing.</param>
internal sealed record OrderLook(int Session, TimeSpan Silent, IReadOnlyList<StoredReport> Reports);

/// <summary>An order as its host reads it.</summary>
public sealed record HostOrder(JsonElement Document);
