using ManagedServers.Dashboard.Access;
using ManagedServers.Engine;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Servers;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Dashboard.Parts;

/// <summary>What an operator is told about a failed action.</summary>
internal static class Problems
{
    /// <summary>The exception's own words where they are meant for operators; anything else is logged and told without its details.</summary>
    public static string Tell(this Exception e, ILogger logger)
    {
        if (e is InvalidInputException or IHostProblem or ServerNotFoundException or ServerConflictException or RunActionException or ActionRefusedException)
        {
            return e.Message;
        }

        logger.LogError(e, "An action in the dashboard failed");
        return "It did not work, for a reason inside the product; its log has the details. Look whether it took effect before you try again.";
    }
}
