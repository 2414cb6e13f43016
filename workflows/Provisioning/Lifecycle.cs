using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning;

/// <param name="Components">All that are installed when null.</param>
public sealed record ControlRequest(IReadOnlyList<string>? Components = null) : CommandsRequest;

/// <summary>Commands that are run for their own sake, in this order.</summary>
public sealed record RunCommandsRequest(IReadOnlyList<CommandRequest>? Commands = null);

/// <summary>Prepares the runs that start, stop and restart what is installed on a server, take it away, or run commands beside it.</summary>
public sealed class Lifecycle(Servers.Servers servers, ImageCatalogue images, Configurations configurations, PreparedRuns runs, RequestedCommands commands)
{
    /// <exception cref="InvalidInputException">A component is not installed, or a command breaks a rule.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="ServerConflictException">Nothing is installed on it.</exception>
    public Task<PreparedRun> Start(string idOrName, ControlRequest request, CancellationToken cancellationToken = default) => Prepare<StartWorkflow>(StartWorkflow.Kind, idOrName, request, cancellationToken);

    /// <inheritdoc cref="Start"/>
    public Task<PreparedRun> Stop(string idOrName, ControlRequest request, CancellationToken cancellationToken = default) => Prepare<StopWorkflow>(StopWorkflow.Kind, idOrName, request, cancellationToken);

    /// <inheritdoc cref="Start"/>
    public Task<PreparedRun> Restart(string idOrName, ControlRequest request, CancellationToken cancellationToken = default) => Prepare<RestartWorkflow>(RestartWorkflow.Kind, idOrName, request, cancellationToken);

    /// <summary>Takes away whatever installs have put on the host, also what one that was cancelled half-way has left.</summary>
    /// <exception cref="InvalidInputException">A command breaks a rule.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="ServerConflictException">Nothing was ever installed on it.</exception>
    public async Task<PreparedRun> Uninstall(string idOrName, CommandsRequest request, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        if (server.Components.Count == 0 && server.LastRunId is null)
        {
            throw new ServerConflictException("nothing-installed", $"Nothing was ever installed on {server.Name}.");
        }

        var errors = new InputErrors();
        var around = await commands.Around(server, UninstallWorkflow.Kind, request, [.. server.Components.Select(c => c.Name)], null, errors, cancellationToken);
        errors.ThrowIfAny();

        // All that there may be, not what was recorded: an install that was cancelled half-way has recorded nothing.
        var input = new UninstallInput(server.Id, server.Name, [.. Component.All.Reverse()], [.. Component.All.Select(images.Find).OfType<CatalogueImage>().Select(i => i.Repository)]) { Commands = around };
        var concern = new Concern(input.Components) { TakesAway = true };
        return server.Installation == InstallationType.Manual
            ? runs.Prepare<ManualUninstallWorkflow, UninstallInput>(server, input, concern)
            : runs.Prepare<UninstallWorkflow, UninstallInput>(server, input, concern);
    }

    /// <summary>Commands by themselves, also on a host on which nothing is installed yet.</summary>
    /// <exception cref="InvalidInputException">A command breaks a rule.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    public async Task<PreparedRun> RunCommands(string idOrName, RunCommandsRequest request, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        var errors = new InputErrors();
        var asked = await commands.ByHand(server, "commands", request.Commands, errors, cancellationToken);
        errors.ThrowIfAny();
        var scene = await commands.Scene(server, RunCommandsWorkflow.Kind, [.. server.Components.Select(c => c.Name)], null, cancellationToken);
        return runs.Prepare<RunCommandsWorkflow, RunCommandsInput>(server, new RunCommandsInput(scene, asked), new Concern([]) { IsLast = false });
    }

    private async Task<PreparedRun> Prepare<TWorkflow>(string kind, string idOrName, ControlRequest request, CancellationToken cancellationToken)
        where TWorkflow : IWorkflow<ComponentsInput>
    {
        var server = await servers.Get(idOrName, cancellationToken);
        if (server.Components.Count == 0)
        {
            throw new ServerConflictException("nothing-installed", $"Nothing is installed on {server.Name}. Install something first.");
        }

        var installed = server.Components.Select(c => c.Name).ToList();
        var asked = request.Components ?? installed;
        if (asked.Count == 0 || asked.Any(c => !installed.Contains(c)))
        {
            throw new InvalidInputException("components", $"must be a list of what is installed on {server.Name}: {string.Join(", ", installed)}");
        }

        var errors = new InputErrors();
        var around = await commands.Around(server, kind, request, asked, null, errors, cancellationToken);
        errors.ThrowIfAny();
        var dns = asked.Contains(Component.Dns) ? await configurations.Current(server.Id, Component.Dns, cancellationToken) : null;
        var input = new ComponentsInput(server.Id, server.Name, [.. Component.All.Where(asked.Contains)], dns?.Version.Id) { Commands = around };
        return runs.Prepare<TWorkflow, ComponentsInput>(server, input, new Concern(input.Components));
    }
}
