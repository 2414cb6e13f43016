using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Settings;

/// <summary>What operators set for the whole product.</summary>
internal static class SettingsCommands
{
    private static readonly Argument<string> Module = new("MODULE") { Description = "Which settings: monitoring, monitoring-services; msctl settings list shows all." };
    private static readonly Argument<string[]> Changes = new("KEY=VALUE") { Description = "What to set; a value of 'default' takes it back to how it came with the product.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<long?> Version = new("--version-is") { Description = "Only if nobody has changed them since this version, which show tells.", HelpName = "N" };

    public static DocumentedCommand List() => new DocumentedCommand("list", "List the modules of settings.") { Examples = ["msctl settings list"] }.Does(async (call, cancellationToken) =>
    {
        var modules = await call.Product.Settings.List(cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(modules.Json);
            return ExitCode.Done;
        }

        var table = new TextTable(("MODULE", Fit.Whole), ("VERSION", Fit.Whole), ("CHANGED", Fit.Whole), ("BY", Fit.Whole));
        foreach (var module in modules.Value.Items)
        {
            table.Row(new Cell(module.Module, Tone.Strong), module.Version.ToString(CultureInfo.InvariantCulture), Words.Ago(module.ChangedAt, call.Now), module.ChangedBy ?? "the product");
        }

        table.Write(call.Screen, "There are none.");
        return ExitCode.Done;
    });

    public static DocumentedCommand Show() => new DocumentedCommand("show", "Show a module's settings.") { Examples = ["msctl settings show monitoring"] }.With(Module).Does(async (call, cancellationToken) =>
        Print(call, await call.Product.Settings.Get(call.Get(Module), cancellationToken)));

    public static DocumentedCommand Set() => new DocumentedCommand("set", "Change settings. They hold from now on, on hosts with their next report.")
    {
        Notes = ["What is not named stays as it is. Members of members are written with dots."],
        Examples = ["msctl settings set monitoring heartbeatIntervalSeconds=15 windowSeconds=60", "msctl settings set monitoring-services disk.intervalSeconds=300 swap.enabled=false", "msctl settings set monitoring windowSeconds=default"],
    }.With(Module, Changes, Version, StartedRuns.Plan).Does(async (call, cancellationToken) =>
    {
        var change = new JsonObject();
        foreach (var text in call.Get(Changes)!)
        {
            Put(change, text);
        }

        return await StoredChanges.Do(call, SettingsApi.Change(call.Get(Module), change, call.Get(Version)), changed => Print(call, changed), cancellationToken);
    });

    public static DocumentedCommand History() => new DocumentedCommand("history", "Show what was set, by whom and when.") { Examples = ["msctl settings history monitoring"] }.With(Module).Does(async (call, cancellationToken) =>
    {
        var versions = await call.Product.Settings.History(call.Get(Module), cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(versions.Json);
            return ExitCode.Done;
        }

        var items = versions.Value.Items;
        var table = new TextTable(("VERSION", Fit.Whole), ("WHEN", Fit.Whole), ("WHO", Fit.Whole), ("WHAT", Fit.MayShrink));
        foreach (var (version, before) in items.Zip(items.Skip(1).Append(null)))
        {
            var former = before is null ? [] : Flat(before.Value).ToDictionary();
            var what = before is null ? "" : string.Join(", ", Flat(version.Value).Where(m => former.GetValueOrDefault(m.Key) != m.Value).Select(m => $"{m.Key} {former.GetValueOrDefault(m.Key)} -> {m.Value}"));
            table.Row(version.Version.ToString(CultureInfo.InvariantCulture), Words.Ago(version.ChangedAt, call.Now), version.ChangedBy ?? "the product", what);
        }

        table.Write(call.Screen, "Nothing was set.");
        return ExitCode.Done;
    });

    private static int Print(Invocation call, Answer<SettingsModule> answer)
    {
        if (call.Json)
        {
            call.Screen.Json(answer.Json);
            return ExitCode.Done;
        }

        var table = new TextTable(("SETTING", Fit.Whole), ("VALUE", Fit.MayShrink));
        foreach (var (name, value) in Flat(answer.Value.Value))
        {
            table.Row(new Cell(name, Tone.Strong), value);
        }

        table.Write(call.Screen, "There are none.");
        var changed = answer.Value;
        call.Screen.Note(changed.Version == 0 ? "As it came with the product." : $"Version {changed.Version}, changed {Words.Ago(changed.ChangedAt, call.Now)} by {SafeText.Line(changed.ChangedBy ?? "")}.", Tone.Quiet);
        return ExitCode.Done;
    }

    private static IEnumerable<KeyValuePair<string, string>> Flat(JsonObject value, string before = "") => value.SelectMany(member =>
        member.Value is JsonObject inner ? Flat(inner, $"{before}{member.Key}.") : [KeyValuePair.Create(before + member.Key, member.Value?.ToJsonString().Trim('"') ?? "-")]);

    private static void Put(JsonObject into, string text)
    {
        if (text.Split('=', 2) is not [{ Length: > 0 } key, var value] || key.Split('.') is not [.. var path, var last] || path.Append(last).Any(string.IsNullOrEmpty))
        {
            throw new UsageException($"This is not KEY=VALUE: {SafeText.Line(text)}", "For example: msctl settings set monitoring windowSeconds=180");
        }

        foreach (var part in path)
        {
            into = into[part] as JsonObject ?? (JsonObject)(into[part] = new JsonObject());
        }

        into[last] = value switch
        {
            "default" => null,
            "true" or "false" => JsonValue.Create(value == "true"),
            _ when long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
            _ => JsonValue.Create(value),
        };
    }
}
