using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Alerts;

namespace ManagedServers.Api.Endpoints;

/// <summary>Whom alerts are told to. Administrators alone: a channel makes the product connect to an address, with a secret.</summary>
internal static class ChannelEndpoints
{
    public static void MapChannels(this RouteGroupBuilder channels)
    {
        channels.RequireAuthorization(nameof(Right.Administer));

        channels.MapGet("", async (AlertChannels channels, CancellationToken cancellationToken) => new Page<AlertChannel>(await channels.List(cancellationToken), null))
            .WithSummary("Whom alerts are told to, in the order of their names; without their secrets");

        channels.MapGet("/{channel}", (string channel, AlertChannels channels, CancellationToken cancellationToken) => channels.Get(channel, cancellationToken))
            .ProducesProblem(404).WithSummary("One channel, by id or name");

        channels.MapPost("", async (ChannelRequest request, bool? plan, AlertChannels channels, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await channels.Add(request, context.User.Identity!.Name!, cancellationToken);
            if (plan == true)
            {
                return await Changes.Plan(change, context, cancellationToken);
            }

            var added = await change.Make(cancellationToken);
            return Results.Created($"/api/v2/alerts/channels/{added.Id}", added);
        }).ProducesStored<AlertChannel>(201).ProducesProblem(400).WithSummary("Add a channel: a webhook, a mail server, or RabbitMQ");

        channels.MapPatch("/{channel}", async (string channel, ChannelRequest request, bool? plan, AlertChannels channels, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await channels.Edit(channel, request, context.User.Identity!.Name!, cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : Results.Ok(await change.Make(cancellationToken));
        }).ProducesStored<AlertChannel>().ProducesProblem(400).ProducesProblem(404).WithSummary("Change a channel; what is not given stays");

        channels.MapDelete("/{channel}", async (string channel, bool? plan, AlertChannels channels, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await channels.Remove(channel, cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : await Changes.Done(change, cancellationToken);
        }).ProducesStored(204).ProducesProblem(404).WithSummary("Remove a channel with its secrets");

        channels.MapPost("/{channel}/test", (string channel, Deliveries deliveries, CancellationToken cancellationToken) => deliveries.Test(channel, cancellationToken))
            .Produces<ChannelTest>().ProducesProblem(404).WithSummary("Send a message that says that it is a test, at once, and say what became of it");
    }
}
