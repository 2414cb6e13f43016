using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.RabbitMq;

namespace ManagedServers.Api.Endpoints;

/// <summary>The family of settings, for administrators alone.</summary>
internal static class SettingsEndpoints
{
    public static void MapSettings(this RouteGroupBuilder api)
    {
        var rabbitMq = api.MapGroup("/settings/rabbitmq").WithTags("Settings").RequireAuthorization(nameof(Right.Administer));

        rabbitMq.MapGet("", (RabbitMqSettingsStore store, CancellationToken cancellationToken) => store.Show(cancellationToken))
            .WithSummary("RabbitMQ settings, and how each node stands to the broker");

        rabbitMq.MapPatch("", (RabbitMqChange change, RabbitMqSettingsStore store, HttpContext context, CancellationToken cancellationToken) =>
                store.Change(change, context.User.Identity!.Name!, cancellationToken))
            .ProducesProblem(400).WithSummary("Change the RabbitMQ settings; every node follows within seconds");

        rabbitMq.MapPost("/test", (RabbitMqChange? change, RabbitMqTester tester, CancellationToken cancellationToken) => tester.Run(change, cancellationToken))
            .Produces<RabbitMqTest>().ProducesProblem(400).WithSummary("Sign in as the product and as a host, with what is stored or with what is given, which is not kept. Makes exchange and queues that are missing");
    }
}
