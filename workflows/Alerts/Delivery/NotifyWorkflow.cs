using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Workflows.Alerts;

/// <param name="Channel">Its name, for the title.</param>
/// <param name="About">What it tells, for the title.</param>
public sealed record NotifyInput(Guid NotificationId, Guid ChannelId, string Channel, string About);

/// <summary>Delivers one message to one channel. Those of a channel go out one after the other, in their order.</summary>
[Workflow(Kind, version: 1)]
public sealed class NotifyWorkflow : IWorkflow<NotifyInput>
{
    public const string Kind = "notify";

    public string Title(NotifyInput input) => $"notify {input.Channel}: {input.About}";

    public void Describe(WorkflowPlan<NotifyInput> plan)
    {
        plan.Exclusive($"alert-channel:{plan.Input.ChannelId}");
        // Twelve tries within an hour and a quarter: a receiver that is being repaired hears of it all the same.
        plan.Step("deliver", $"Tell {plan.Input.Channel}", DeliverNotification.With(plan.Input))
            .Retry(Backoff.Exponential(12, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10))).Timeout(TimeSpan.FromMinutes(2)).OnFailure(StepFailure.Fail);
    }
}

/// <summary>Sends what the evaluation has written down. What was sent is not sent again; where a node died in between, it comes a second time under the same id.</summary>
public sealed class DeliverNotification(NpgsqlDataSource database, AlertChannels channels, Deliveries deliveries, TimeProvider time) : Step<DeliverNotification, NotifyInput, Nothing>
{
    public override async Task<Nothing> Run(NotifyInput input, StepContext step)
    {
        var (content, sentAt) = await Read(input.NotificationId, step.Cancellation);
        var channel = await channels.Find(input.ChannelId.ToString(), step.Cancellation);
        if (content is null || channel is not { Enabled: true } || sentAt is not null)
        {
            step.Unchanged(sentAt is not null ? "it was sent already" : channel is null || content is null ? "the channel is not there any more" : "the channel is switched off");
            return Nothing.Value;
        }

        try
        {
            var refused = await deliveries.Send(channel, content, step.Cancellation);
            if (refused.Count > 0)
            {
                step.Log($"The mail server took the mail, but not for {string.Join(", ", refused)}.", LogLevel.Warning);
            }
        }
        catch (DeliveryException problem) when (problem.IsFinal)
        {
            throw new StepRejectedException(problem.Message, problem);
        }

        await using var connection = await database.OpenConnectionAsync(step.Cancellation);
        await connection.ExecuteAsync("update alerts.notification set sent_at = @now where id = @NotificationId", new { now = time.GetUtcNow().UtcDateTime, input.NotificationId });
        step.Changed($"told {channel}: {content.Subject()}");
        return Nothing.Value;
    }

    private async Task<(NotificationContent? Content, DateTime? SentAt)> Read(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<(string? Content, DateTime? SentAt)>(
            new CommandDefinition("select content::text, sent_at from alerts.notification where id = @id", new { id }, cancellationToken: cancellationToken));
        return (row.Content is null ? null : JsonSerializer.Deserialize<NotificationContent>(row.Content, EngineJson.Options), row.SentAt);
    }
}
