using System.Text.Json.Nodes;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.RabbitMq;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Api.Endpoints;

/// <summary>The family of settings: modules that are saved one by one, each with its history.</summary>
internal static class SettingsEndpoints
{
    public static void MapSettings(this RouteGroupBuilder api)
    {
        var settings = api.MapGroup("/settings").WithTags("Settings");

        settings.MapGet("", async (ProductSettings settings, CancellationToken cancellationToken) =>
        {
            List<StoredSettings> all = [];
            foreach (var module in settings.Modules)
            {
                all.Add(await settings.Get(module.Name, cancellationToken));
            }

            return new Page<StoredSettings>(all, null);
        }).RequireAuthorization(nameof(Right.Read)).WithSummary("All modules with what is set");

        settings.MapGet("/{module}", (string module, ProductSettings settings, CancellationToken cancellationToken) => settings.Get(module, cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("One module");

        settings.MapGet("/{module}/history", async (string module, ProductSettings settings, CancellationToken cancellationToken) =>
                new Page<StoredSettings>(await settings.History(module, cancellationToken), null))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("What was set, by whom and when, newest first");

        settings.MapPatch("/{module}", async (string module, long? version, bool? plan, JsonNode? change, ProductSettings settings, HttpContext context, CancellationToken cancellationToken) =>
            {
                var prepared = await settings.Change(module, change, version, context.User.Identity!.Name!, cancellationToken);
                return plan == true ? await Changes.Plan(prepared, context, cancellationToken) : Results.Ok(await prepared.Make(cancellationToken));
            })
            .RequireAuthorization(nameof(Right.Administer)).ProducesStored<StoredSettings>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Set what the body names, as a JSON merge patch (RFC 7396): null takes a member back to what it is at first. With ?version= only if nobody has changed it since");

        var rabbitMq = api.MapGroup("/settings/rabbitmq").WithTags("Settings").RequireAuthorization(nameof(Right.Administer));

        rabbitMq.MapGet("", (RabbitMqSettingsStore store, CancellationToken cancellationToken) => store.Show(cancellationToken))
            .WithSummary("RabbitMQ settings, and how each node stands to the broker");

        rabbitMq.MapPatch("", async (RabbitMqChange change, bool? plan, RabbitMqSettingsStore store, HttpContext context, CancellationToken cancellationToken) =>
            {
                var prepared = await store.Change(change, context.User.Identity!.Name!, cancellationToken);
                return plan == true ? await Changes.Plan(prepared, context, cancellationToken) : Results.Ok(await prepared.Make(cancellationToken));
            })
            .ProducesStored<RabbitMqOverview>().ProducesProblem(400).WithSummary("Change the RabbitMQ settings; every node follows within seconds");

        rabbitMq.MapPost("/test", (RabbitMqChange? change, RabbitMqTester tester, CancellationToken cancellationToken) => tester.Run(change, cancellationToken))
            .Produces<RabbitMqTest>().ProducesProblem(400).WithSummary("Sign in as the product and as a host, with what is stored or with what is given, which is not kept. Makes exchange and queues that are missing");
    }
}
