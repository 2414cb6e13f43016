using System.CommandLine;
using ManagedServers.Cli.Client;

namespace ManagedServers.Cli.Commands.Alerts;

/// <summary>The options for what a rule watches.</summary>
internal static class RuleOptions
{
    private static readonly Option<string?> Description = new("--description") { Description = "What it means, in one line.", HelpName = "TEXT" };
    private static readonly Option<string?> Severity = new Option<string?>("--severity") { Description = "warning for a new one, if not given.", HelpName = "info|warning|critical" }.AcceptOnlyFromAmong("info", "warning", "critical");
    private static readonly Option<string?> Metric = new("--metric") { Description = "As in load.1, or disk.used{/var} for one of several.", HelpName = "METRIC" };
    private static readonly Option<string?> Of = new("--of") { Description = "The value is the share of this one: --metric disk.used --of disk.total; '' for none.", HelpName = "METRIC" };
    private static readonly Option<string?> Above = new("--above") { Description = "Fires above this: 4.5, 90% or 2GiB.", HelpName = "VALUE" };
    private static readonly Option<string?> Below = new("--below") { Description = "Fires below this.", HelpName = "VALUE" };
    private static readonly Option<string?> Clear = new("--clear") { Description = "Over only beyond this, so that it does not come and go; with --within a time. The limit itself if not given.", HelpName = "VALUE" };
    private static readonly Option<string?> RateOver = new("--rate-over") { Description = "What --above and --below name is the change per second over this time, 1m to 1h.", HelpName = "TIME" };
    private static readonly Option<string?> Absent = new("--absent") { Description = "Fires when the metric was not measured for so long, 1m to 1h.", HelpName = "TIME" };
    private static readonly Option<string?> Within = new("--within") { Description = "Fires when, as it grows, the metric will be all of --of within this time, 1h to 365d.", HelpName = "TIME" };
    private static readonly Option<string?> State = new("--state") { Description = "Fires when the server is collectorSilent, degraded, twoAgents, componentDown, dockerDead, unreachable or agentSilent.", HelpName = "STATE" };
    private static readonly Option<string?> For = new("--for") { Description = "How long it must be so before it fires; 2m for a new one, if not given.", HelpName = "TIME" };
    private static readonly Option<string?> Servers = new("--servers") { Description = "Only these, with commas; '' for all.", HelpName = "LIST" };
    private static readonly Option<bool> Enable = new("--enable") { Description = "Evaluate it." };
    private static readonly Option<bool> Disable = new("--disable") { Description = "Do not; its alerts are over." };

    public static IReadOnlyList<Option> All { get; } = [Metric, Of, Above, Below, Clear, RateOver, Absent, Within, State, For, Severity, Servers, Description, Enable, Disable];

    /// <summary>Of a new one what is given tells the kind.</summary>
    public static AlertRuleChange Read(Invocation call, string? name, bool isNew)
    {
        var (above, below, within, rate, absent) = (call.Get(Above), call.Get(Below), Seconds(call, Within), Seconds(call, RateOver), Seconds(call, Absent));
        if (above is not null && below is not null || call.Get(Enable) && call.Get(Disable))
        {
            throw new UsageException("--above and --below exclude each other, and so do --enable and --disable.");
        }

        var clear = call.Get(Clear);
        return new AlertRuleChange
        {
            Name = name, Description = call.Get(Description), Severity = call.Get(Severity), Metric = call.Get(Metric), Of = call.Get(Of), Condition = call.Get(State),
            Enabled = call.Get(Enable) ? true : call.Get(Disable) ? false : null,
            Kind = !isNew ? null : call.Get(State) is not null ? "state" : within is not null ? "forecast" : absent is not null ? "absence" : rate is not null ? "rate" : "threshold",
            Comparison = above is not null ? "above" : below is not null ? "below" : null,
            Value = above is not null ? AlertTexts.Amount(Above.Name, above) : below is not null ? AlertTexts.Amount(Below.Name, below) : within,
            ClearValue = clear is null ? null : char.IsAsciiLetterLower(clear[^1]) ? AlertTexts.Span(Clear.Name, clear, call.Now).TotalSeconds : AlertTexts.Amount(Clear.Name, clear),
            WindowSeconds = (int?)(rate ?? absent), ForSeconds = (int?)Seconds(call, For),
            Servers = call.Get(Servers)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        };
    }

    private static double? Seconds(Invocation call, Option<string?> option) => call.Get(option) is { } text ? Math.Round(AlertTexts.Span(option.Name, text, call.Now).TotalSeconds) : null;
}
