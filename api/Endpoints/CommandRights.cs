using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Commands;

namespace ManagedServers.Api.Endpoints;

/// <summary>Whatever a request is about: to say what a host's shell is given takes the right to do so, which no endpoint can forget.</summary>
internal static class CommandRights
{
    /// <summary>A filter for every endpoint of a group.</summary>
    public static EndpointFilterDelegate Filter(EndpointFilterFactoryContext endpoint, EndpointFilterDelegate next) =>
        !endpoint.MethodInfo.GetParameters().Any(p => p.ParameterType.IsAssignableTo(typeof(CommandsRequest))) ? next
            : async call => call.Arguments.OfType<CommandsRequest>().Any(r => r.HasCommands()) && !call.HttpContext.User.Allows(Right.RunCommands) ? Results.Forbid() : await next(call);
}
