using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Enrolment;

/// <summary>A step that the host does itself. The plan and the order are made from the same list, so they have the same names.</summary>
/// <param name="Do">What the script calls it.</param>
internal sealed record HostStep(string Name, string Title, string Do, string? ComponentName = null, OperatorCommand? Command = null)
{
    /// <summary>If it fails, what was ordered is wrong: only another order can help.</summary>
    public bool IsFinal => Do == "validate";

    /// <summary>Up to the proof.</summary>
    public static IReadOnlyList<HostStep> Installing(InstallInput input)
    {
        List<HostStep> steps = [new("preflight", "Check the host", "preflight"), .. Commands("pre-command", "Pre-command", input.Commands?.Before)];
        steps.Add(new("prepare-folders", "Make the product's folders on the host", "folders"));
        steps.AddRange(input.Images.Select(i => new HostStep($"upload-image-{i.Component}", $"Fetch the image {i.Image}", "image", i.Component)));
        var serving = Component.Serving.Where(c => input.Images.Any(i => i.Component == c)).ToList();
        foreach (var component in serving)
        {
            steps.Add(new($"stage-{component}", $"Write the configuration of {Program(component)} aside", "stage", component));
            steps.Add(new(ConfigurationPlan.Validate(component), $"Check it with the very {Program(component)} that will serve it", "validate", component));
            steps.Add(new($"switch-{component}", "Make it the current one", "switch", component));
        }

        // The monitor first: it makes the socket to which Knot connects.
        if (input.Images.Any(i => i.Component == Component.Monitor))
        {
            steps.Add(new("start-monitor", "Start the statistics monitor", "container", Component.Monitor));
        }

        steps.AddRange(serving.Select(c => new HostStep($"start-{c}", $"Start {Program(c)}", "container", c)));
        steps.Add(new("install-agent", "Install the heartbeat agent", "agent"));
        if (input.Dns is not null)
        {
            steps.Add(new("prove-dns-on-host", "Ask for every zone on the host, over UDP and TCP", "prove-dns", Component.Dns));
        }

        if (input.Dhcp is not null)
        {
            steps.Add(new("prove-dhcp", "Ask Kea with what it runs and where it listens", "prove-dhcp", Component.Dhcp));
        }

        return steps;
    }

    /// <summary>After the proof.</summary>
    public static IReadOnlyList<HostStep> Ending(InstallInput input) =>
        [new("settle", "Let go of what was kept for a way back", "settle"), .. Commands("post-command", "Post-command", input.Commands?.After)];

    public static IReadOnlyList<HostStep> Uninstalling(UninstallInput input) =>
    [
        new("check-owner", "Make sure that the host is this server's", "check-owner"),
        .. input.Components.Select(c => new HostStep($"remove-{c}", $"Stop and remove {c}", "remove-container", c)),
        new("remove-agent", "Remove the heartbeat agent", "remove-agent"),
        new("remove-images", "Remove the images", "remove-images"),
        new("remove-folders", "Remove the product's folders", "remove-folders"),
    ];

    public static string Program(string component) => component switch { Component.Dns => "Knot", Component.Dhcp => "Kea", _ => "the monitor" };

    private static IEnumerable<HostStep> Commands(string name, string title, IReadOnlyList<OperatorCommand>? commands) =>
        (commands ?? []).Select((c, index) => new HostStep($"{name}-{index + 1}", $"{title} '{c.Name}'", "command", Command: c));
}
