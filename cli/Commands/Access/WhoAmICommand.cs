using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Access;

/// <summary>Whose credentials are used.</summary>
internal static class WhoAmICommand
{
    public static DocumentedCommand Build() => new DocumentedCommand("whoami", "Show who is signed in, and where.")
    {
        Examples = ["msctl whoami"],
    }.Does(async (call, cancellationToken) =>
    {
        var me = await call.Product.Access.Me(cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(me.Json);
            return ExitCode.Done;
        }

        var groups = me.Value.Groups.Count == 0 ? "in no group" : string.Join(", ", me.Value.Groups);
        call.Screen.Line(SafeText.Line($"{me.Value.Name} ({groups}) at {call.Product.Address.GetLeftPart(UriPartial.Authority)}"));
        return ExitCode.Done;
    });
}
