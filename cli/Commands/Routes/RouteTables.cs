using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Routes;

/// <summary>The route that a command is about.</summary>
internal static class RouteArgument
{
    public static Argument<string> Make() => new("NAME") { Description = "Name or id of the SSH route" };
}

/// <summary>Routes as rows and as a page.</summary>
internal static class RouteTables
{
    public static void List(Screen screen, IReadOnlyList<Route> routes)
    {
        var table = new TextTable(("NAME", Fit.Whole), ("HOPS", Fit.MayShrink), ("SERVERS", Fit.MayShrink));
        foreach (var route in routes)
        {
            table.Row(new Cell(route.Name, Tone.Strong), string.Join(" > ", route.Hops.Select(Login)), string.Join(", ", route.Servers));
        }

        table.Write(screen, "No SSH routes yet. Add one: msctl routes add NAME --hop USER@HOST,key-file=FILE");
    }

    public static void Page(Screen screen, Route route)
    {
        var page = new FieldPage(screen);
        page.Field("Name", route.Name, Tone.Strong);
        page.Field("Id", route.Id.ToString());
        foreach (var (index, hop) in route.Hops.Index())
        {
            page.Field($"Hop {index + 1}", $"{Login(hop)} ({hop.Authentication})");
            page.Field("Host key", hop.HostKey is { } key ? $"{key.Algorithm} {key.Fingerprint}" : "none accepted");
        }

        page.Field("Servers", route.Servers.Count == 0 ? "none" : string.Join(", ", route.Servers));
        page.Field("Added", Words.Time(route.CreatedAt));
        page.Write();
    }

    /// <summary>Prints a route, as JSON where that is wished.</summary>
    public static void Tell(Invocation call, Answer<Route> route)
    {
        if (call.Json)
        {
            call.Screen.Json(route.Json);
        }
        else
        {
            Page(call.Screen, route.Value);
        }
    }

    private static string Login(Hop hop) => $"{hop.SshUser}@{(hop.Address.Contains(':', StringComparison.Ordinal) ? $"[{hop.Address}]" : hop.Address)}:{hop.SshPort}";
}
