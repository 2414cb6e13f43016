using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Commands;

namespace ManagedServers.Api.Endpoints;

/// <summary>The family of commands: what may be run on hosts, and for which server it is.</summary>
internal static class Catalogue
{
    public static void MapCommands(this RouteGroupBuilder api)
    {
        var commands = api.MapGroup("/commands").WithTags("Commands");

        commands.MapGet("", async (CommandCatalogue catalogue, CancellationToken cancellationToken) => new Page<CatalogueCommand>(await catalogue.List(cancellationToken), null))
            .RequireAuthorization(nameof(Right.Read)).WithSummary("Commands that may be run on hosts, in the order of their names");

        commands.MapGet("/{name}", (string name, CommandCatalogue catalogue, CancellationToken cancellationToken) => catalogue.Get(name, cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("One command, with its text");

        commands.MapPost("", async (CatalogueRequest request, bool? plan, CommandCatalogue catalogue, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await catalogue.Add(request, context.User.Identity!.Name!, cancellationToken);
            if (plan == true)
            {
                return await Changes.Plan(change, context, cancellationToken);
            }

            var added = await change.Make(cancellationToken);
            return Results.Created($"/api/v2/commands/{Uri.EscapeDataString(added.Name)}", added);
        }).RequireAuthorization(nameof(Right.RunCommands)).ProducesStored<CatalogueCommand>(201).ProducesProblem(400).WithSummary("Add a command to the catalogue");

        commands.MapPatch("/{name}", async (string name, CatalogueRequest request, bool? plan, CommandCatalogue catalogue, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await catalogue.Edit(name, request, context.User.Identity!.Name!, cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : Results.Ok(await change.Make(cancellationToken));
        }).RequireAuthorization(nameof(Right.RunCommands)).ProducesStored<CatalogueCommand>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Change a command; runs under way keep the text that they were started with");

        commands.MapDelete("/{name}", async (string name, bool? plan, CommandCatalogue catalogue, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await catalogue.Remove(name, cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : await Changes.Done(change, cancellationToken);
        }).RequireAuthorization(nameof(Right.RunCommands)).ProducesStored(204).ProducesProblem(404).ProducesProblem(409).WithSummary("Remove a command that no server uses");

        var server = api.MapGroup("/pvservers/{server}/commands").WithTags("Commands");

        server.MapGet("", (string server, ServerCommands commands, CancellationToken cancellationToken) => commands.Chosen(server, cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("Which commands are run around what is done to a server");

        server.MapPut("", async (string server, ChosenCommands request, bool? plan, ServerCommands commands, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await commands.Choose(server, request, context.User.Identity!.Name!, cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : Results.Ok(await change.Make(cancellationToken));
        }).RequireAuthorization(nameof(Right.RunCommands)).ProducesStored<ChosenCommands>().ProducesProblem(400).ProducesProblem(404).WithSummary("Choose them, in order; a side that is left out stays as it is");
    }
}
