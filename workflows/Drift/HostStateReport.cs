using System.Text.RegularExpressions;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Drift;

/// <summary>What an agent says of what really runs on its host. One without containers and configurations only asks what it is to say with the next.</summary>
/// <param name="AsOf">The product's word for the last change of what was asked for, as the agent had it before it looked.</param>
/// <param name="Containers">Null where Docker does not tell.</param>
public sealed partial record HostStateReport(string? AsOf, IReadOnlyList<ReportedContainer?>? Containers, IReadOnlyList<ReportedConfiguration?>? Configurations)
{
    // Ten thousand zones, and what somebody has put beside them.
    internal const int MostFiles = 12_001;

    /// <summary>As a host's own answer would be; null where the agent only asks.</summary>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    internal HostState? Check()
    {
        var refusals = new Refusals();
        refusals.Text(AsOf, 40, "asOf");
        refusals.Require(Containers is null || Containers.All(c => c is not null) && Distinct(Containers.Select(c => c!.Component), Component.All), "containers", "One for each component, and none twice.");
        refusals.Require(Configurations is null || Configurations.All(c => c is not null) && Distinct(Configurations.Select(c => c!.Component), Component.Serving), "configurations", "One for each component that is configured, and none twice.");
        refusals.ThrowIfAny();
        foreach (var (container, i) in (Containers ?? []).Select((c, i) => (c!, i)))
        {
            refusals.Require(Word().IsMatch(container.Status ?? ""), $"containers[{i}].status", "A word of Docker's.");
            refusals.Require(container.Image is not null, $"containers[{i}].image", "Is needed.");
            refusals.Text(container.Image, 255, $"containers[{i}].image");
            refusals.Text(container.Specification, 255, $"containers[{i}].specification");
        }

        foreach (var (configuration, i) in (Configurations ?? []).Select((c, i) => (c!, i)))
        {
            Check(configuration, $"configurations[{i}]", refusals);
        }

        refusals.ThrowIfAny();
        return Configurations is null ? null : new HostState
        {
            DockerProblem = Containers is null ? "its agent gets no answer" : null,
            Containers = (Containers ?? []).ToDictionary(c => Component.ContainerName(c!.Component!),
                c => new ContainerState(c!.Status!, c.Image!, new Dictionary<string, string> { [ContainerSpecification.SpecLabel] = c.Specification ?? "" })),
            Configurations = Component.Serving.ToDictionary(c => c, c => Configurations.FirstOrDefault(r => r!.Component == c) is { } told ? new ConfigurationState(told.Current, told.Links!, told.Files, told.Digest) : Nothing(c)),
        };
    }

    /// <summary>There is not even a folder for it.</summary>
    private static ConfigurationState Nothing(string component) =>
        new(null, CurrentConfiguration.Names(component).ToDictionary(n => n, _ => (string?)null), new Dictionary<string, string>(), null);

    private static void Check(ReportedConfiguration configuration, string path, Refusals refusals)
    {
        refusals.Text(configuration.Current, 255, $"{path}.current");
        refusals.Require(configuration.Digest is null || Digest().IsMatch(configuration.Digest), $"{path}.digest", "16 hexadecimal digits.");
        refusals.Require(configuration.Links is not null && configuration.Links.Keys.Order().SequenceEqual(CurrentConfiguration.Names(configuration.Component!).Order()), $"{path}.links", "What each name of the component's is.");
        foreach (var target in configuration.Links?.Values ?? [])
        {
            refusals.Text(target, 255, $"{path}.links");
        }

        refusals.Require(configuration.Files is null or { Count: <= MostFiles }, $"{path}.files", $"At most {MostFiles} files.");
        foreach (var (name, hash) in (configuration.Files ?? new Dictionary<string, string>()).Take(MostFiles))
        {
            refusals.Text(name, 255, $"{path}.files");
            refusals.Require(name.Length > 0 && hash is not null && Hash().IsMatch(hash), $"{path}.files", "A name, and a SHA-256 in hexadecimal.");
        }
    }

    private static bool Distinct(IEnumerable<string?> named, IReadOnlyList<string> known)
    {
        HashSet<string> seen = [];
        return named.All(n => n is not null && known.Contains(n) && seen.Add(n));
    }

    [GeneratedRegex(@"\A[a-z]{1,20}\z")]
    private static partial Regex Word();

    [GeneratedRegex(@"\A[0-9a-f]{16}\z")]
    private static partial Regex Digest();

    [GeneratedRegex(@"\A[0-9a-f]{64}\z")]
    private static partial Regex Hash();
}

/// <param name="Specification">The label with the digest of what the product has made it of; none where somebody else has made it.</param>
public sealed record ReportedContainer(string? Component, string? Status, string? Image, string? Specification);

/// <param name="Current">The target of the link to the current configuration, or what stands in its place; null for nothing.</param>
/// <param name="Links">The same of each name that the component looks for.</param>
/// <param name="Digest">Of all files; null where there are too many of them.</param>
/// <param name="Files">The SHA-256 of each; null where the digest is the one that the link names, or there are too many.</param>
public sealed record ReportedConfiguration(string? Component, string? Current, IReadOnlyDictionary<string, string?>? Links, string? Digest, IReadOnlyDictionary<string, string>? Files);

/// <param name="AsOf">What the next report is to say; null where nobody wants one, because the product looks itself.</param>
public sealed record HostStateAnswer(string? AsOf);
