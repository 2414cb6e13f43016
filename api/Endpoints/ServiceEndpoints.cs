using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Api.Endpoints;

/// <summary>Who asked DNS for what, and whom DHCP has given what.</summary>
internal static class ServiceEndpoints
{
    public static void MapServices(this RouteGroupBuilder api)
    {
        var server = api.MapGroup("/pvservers/{server}").WithTags("Monitoring").RequireAuthorization(nameof(Right.Read)).ProducesProblem(400).ProducesProblem(404);

        server.MapGet("/hits", async (
            string server, DateTimeOffset? from, DateTimeOffset? to, string? zone, string? name, string? type, string? sort, int? limit, string? after, string? format,
            Servers servers, Hits hits, CancellationToken cancellationToken) =>
        {
            var csv = Csv.IsAsked(format);
            var found = await servers.Get(server, cancellationToken);
            var page = await hits.List(found.Id, new HitsQuery
            {
                From = from, To = to, Zone = zone, Name = name, Type = type, Sort = sort is null ? HitSort.Count : Words.Parse<HitSort>("sort", sort), Limit = Limits.Check(limit, 100, 1000), After = after,
            }, cancellationToken);
            return csv ? Csv.Answer(["zone", "name", "type", "count", "total", "lastAccess"], page.Items.Select(h => new object?[] { h.Zone, h.Name, h.Type, h.Count, h.Total, h.LastAccess })) : Results.Ok(page);
        }).Produces<HitsPage>().Produces<string>(200, "text/csv").WithSummary("Who was asked for: count in the period, total, last access, with the coverage");

        server.MapGet("/hits/unasked", async (
            string server, int? days, string? zone, int? limit, string? after, string? format, Servers servers, Configurations configurations, UnaskedNames names, CancellationToken cancellationToken) =>
        {
            var csv = Csv.IsAsked(format);
            var found = await servers.Get(server, cancellationToken);
            var query = new UnaskedQuery { Days = days ?? new UnaskedQuery().Days, Zone = zone, Limit = Limits.Check(limit, 100, 1000), After = after };
            var page = await names.List(found.Id, await configurations.InstalledDns(found.Id, cancellationToken), query, cancellationToken);
            return csv ? Csv.Answer(["zone", "name", "types", "lastAccess"], page.Items.Select(n => new object?[] { n.Zone, n.Name, string.Join(' ', n.Types), n.LastAccess })) : Results.Ok(page);
        }).Produces<UnaskedPage>().Produces<string>(200, "text/csv").WithSummary("Names that nobody has asked for in so many days, with how well it was listened");

        server.MapGet("/dhcp/subnets", async (string server, string? format, Servers servers, DhcpSubnets subnets, CancellationToken cancellationToken) =>
        {
            var csv = Csv.IsAsked(format);
            var found = await servers.Get(server, cancellationToken);
            var items = await subnets.List(found.Id, cancellationToken);
            return csv
                ? Csv.Answer(["subnet", "total", "assigned", "declined", "share", "at", "perDay", "fullAt"], items.Select(s => new object?[] { s.Subnet, s.Total, s.Assigned, s.Declined, s.Share, s.At, s.PerDay, s.FullAt }))
                : Results.Ok(new Page<SubnetFigures>(items, null));
        }).Produces<Page<SubnetFigures>>().Produces<string>(200, "text/csv").WithSummary("How full the subnets are, the fullest first, and when they will be full");

        server.MapGet("/dhcp/leases", async (string server, int? limit, string? after, string? format, DhcpLeases leases, CancellationToken cancellationToken) =>
        {
            var csv = Csv.IsAsked(format);
            var page = await leases.List(server, after, Limits.Check(limit, 100, 500), cancellationToken);
            return csv
                ? Csv.Answer(["address", "hardwareAddress", "hostName", "state", "expiresAt"], page.Items.Select(l => new object?[] { l.Address, l.HardwareAddress, l.HostName, l.State, l.ExpiresAt }))
                : Results.Ok(page);
        }).RequireAuthorization(nameof(Right.Operate)).Produces<LeasePage>().Produces<string>(200, "text/csv").ProducesProblem(409).WithSummary("The leases that Kea has now, asked on the host");
    }
}
