using Docker.DotNet.Models;
using static ManagedServers.Lab.LabDocker;

namespace ManagedServers.Lab;

public sealed record LabOutput(long ExitCode, string Text, string Errors);

internal static class LabExec
{
    public static async Task<LabOutput> Run(string container, IList<string> command, CancellationToken cancellationToken)
    {
        var exec = await Client.Exec.CreateContainerExecAsync(container, new ContainerExecCreateParameters
        {
            Cmd = command,
            AttachStdout = true,
            AttachStderr = true,
        }, cancellationToken);
        using var stream = await Client.Exec.StartContainerExecAsync(exec.ID, new ContainerExecStartParameters(), cancellationToken);
        var (text, errors) = await stream.ReadOutputToEndAsync(cancellationToken);
        var ended = await Client.Exec.InspectContainerExecAsync(exec.ID, cancellationToken);
        return new LabOutput(ended.ExitCode ?? -1, text, errors);
    }

    public static async Task<string> Logs(string container, CancellationToken cancellationToken)
    {
        using var stream = await Client.Containers.GetContainerLogsAsync(container,
            new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Tail = "20" }, cancellationToken);
        var (text, errors) = await stream.ReadOutputToEndAsync(cancellationToken);
        return text + errors;
    }
}
