using System.CommandLine;
using System.Globalization;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Monitoring;

/// <summary>Addresses that a server gives away.</summary>
internal static class DhcpCommands
{
    // Of its addresses: an operator should look before the last one is gone.
    private const double Full = 0.9;

    private static readonly Argument<string> Server = ServerArgument.Make();
    private static readonly Option<int?> Limit = new("--limit") { Description = "How many leases at most. The product decides if not given.", HelpName = "N" };
    private static readonly Option<string?> After = new("--after") { Description = "Only addresses after this one.", HelpName = "ADDRESS" };

    public static DocumentedCommand Subnets() => new DocumentedCommand("subnets", "Show how full the subnets of a server are, and when they will be.")
    {
        Notes = ["As Kea told last; the growth is that of the last week, and FULL is when the last address is gone if it goes on like this. The course: msctl servers metrics NAME dhcp.addresses.assigned"],
        Examples = ["msctl dhcp subnets dhcp1", "msctl dhcp subnets dhcp1 -o csv"],
        AlsoCsv = true,
    }.With(Server).Does(async (call, cancellationToken) =>
    {
        var query = MonitoringApi.Subnets(call.Get(Server));
        return call.Csv ? await CsvLines.Write(call, query, cancellationToken)
            : Show(call, await call.Product.Monitoring.Get(query, ClientJson.Default.PageSubnetFigures, cancellationToken), WriteSubnets);
    });

    public static DocumentedCommand Leases() => new DocumentedCommand("leases", "Ask a server's Kea for its leases.")
    {
        Notes = ["Asked on the host at this moment, so it needs a login there."],
        Examples = ["msctl dhcp leases dhcp1", "msctl dhcp leases dhcp1 --after 192.0.2.100 --limit 500 -o json"],
        AlsoCsv = true,
    }.With(Server, After, Limit).Does(async (call, cancellationToken) =>
    {
        var query = MonitoringApi.Leases(call.Get(Server), call.Get(After), call.Get(Limit));
        return call.Csv ? await CsvLines.Write(call, query, cancellationToken)
            : Show(call, await call.Product.Monitoring.Get(query, ClientJson.Default.PageDhcpLease, cancellationToken), WriteLeases);
    });

    private static int Show<T>(Invocation call, Answer<T> answer, Action<Screen, T> write)
    {
        if (call.Json)
        {
            call.Screen.Json(answer.Json);
        }
        else
        {
            write(call.Screen, answer.Value);
        }

        return ExitCode.Done;
    }

    private static void WriteSubnets(Screen screen, Page<SubnetFigures> page)
    {
        var table = new TextTable(
            ("SUBNET", Fit.Whole), ("USED", Fit.Right), ("ASSIGNED", Fit.Right), ("ADDRESSES", Fit.Right), ("DECLINED", Fit.Right), ("A DAY", Fit.Right), ("FULL", Fit.Whole), ("AT", Fit.Whole));
        foreach (var subnet in page.Items)
        {
            table.Row(
                subnet.Subnet, new Cell(subnet.Share is { } share ? string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.#} %") : "", subnet.Share >= Full ? Tone.Warning : Tone.Plain),
                Words.Count(subnet.Assigned), Words.Count(subnet.Total), Words.Count(subnet.Declined), subnet.PerDay?.ToString("+0.##;-0.##;0", CultureInfo.InvariantCulture),
                subnet.FullAt?.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), Words.Time(subnet.At));
        }

        table.Write(screen, "Kea has told nothing yet: with its monitor it is looked at once a minute.");
    }

    private static void WriteLeases(Screen screen, Page<DhcpLease> page)
    {
        var table = new TextTable(("ADDRESS", Fit.Whole), ("HARDWARE", Fit.Whole), ("STATE", Fit.Whole), ("EXPIRES", Fit.Whole), ("HOST NAME", Fit.MayShrink));
        foreach (var lease in page.Items)
        {
            table.Row(lease.Address, lease.HardwareAddress, new Cell(lease.State, lease.State == "assigned" ? Tone.Plain : Tone.Warning), Words.Time(lease.ExpiresAt), lease.HostName);
        }

        table.Write(screen, "No leases.");
        if (page.Next is { } last)
        {
            screen.Note(SafeText.Line($"There may be more leases: --after {last}"), Tone.Quiet);
        }
    }
}
