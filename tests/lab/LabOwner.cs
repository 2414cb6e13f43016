using System.Globalization;

namespace ManagedServers.Lab;

/// <summary>
/// A process that lab hosts belong to, so told that a process with the same number later, after a reboot or in
/// another container is not taken for it: boot, process namespace, number and start time.
/// </summary>
public sealed record LabOwner(string Boot, string Namespace, int ProcessId, string StartTime)
{
    // Before ThisProcess: initialisers run in the order of the text.
    private static string ThisBoot { get; } = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    private static string ThisNamespace { get; } = File.ResolveLinkTarget("/proc/self/ns/pid", returnFinalTarget: false)?.Name ?? "";

    public static LabOwner ThisProcess { get; } = Of(Environment.ProcessId);

    public static LabOwner Of(int processId) =>
        IfAlive(processId) ?? throw new ArgumentException($"There is no process {processId}.", nameof(processId));

    public static LabOwner? IfAlive(int processId) =>
        StartTimeOf(processId) is { } start ? new LabOwner(ThisBoot, ThisNamespace, processId, start) : null;

    /// <summary>True only when that is certain: the machine was started anew, or the process has ended.</summary>
    public bool IsGone => Boot != ThisBoot || (Namespace == ThisNamespace && StartTimeOf(ProcessId) != StartTime);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Boot}/{Namespace}/{ProcessId}/{StartTime}");

    public static LabOwner? Parse(string? label)
    {
        return label?.Split('/') is [var boot, var space, var number, var start]
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var processId)
            ? new LabOwner(boot, space, processId, start)
            : null;
    }

    private static string? StartTimeOf(int processId)
    {
        try
        {
            // Field 22 of stat(5); the second, the name, may hold blanks and brackets.
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] == "Z" ? null : fields[19];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
