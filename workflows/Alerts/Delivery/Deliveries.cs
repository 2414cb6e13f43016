namespace ManagedServers.Workflows.Alerts;

/// <summary>Tells a channel in its own way.</summary>
public sealed class Deliveries
{
    private readonly WebhookDelivery webhook;
    private readonly TopicDelivery topic;
    private readonly AlertChannels channels;
    private readonly TimeProvider time;

    internal Deliveries(WebhookDelivery webhook, TopicDelivery topic, AlertChannels channels, TimeProvider time) => (this.webhook, this.topic, this.channels, this.time) = (webhook, topic, channels, time);

    /// <summary>Sends a message that says that it is a test, at once and once.</summary>
    /// <exception cref="ChannelNotFoundException">There is no such channel.</exception>
    public async Task<ChannelTest> Test(string idOrName, CancellationToken cancellationToken = default)
    {
        var channel = await channels.Get(idOrName, cancellationToken);
        try
        {
            var refused = await Send(channel, new NotificationContent { Id = Guid.CreateVersion7(), At = time.GetUtcNow(), Kind = NotificationKind.Test, Severity = AlertSeverity.Info, Firing = 0, Resolved = 0, Alerts = [] }, cancellationToken);
            return new ChannelTest(refused.Count == 0, refused.Count == 0 ? null : $"The mail server took the mail, but not for {string.Join(", ", refused)}.");
        }
        catch (DeliveryException problem)
        {
            return new ChannelTest(false, problem.Message);
        }
    }

    /// <returns>Recipients that did not get it, while others did.</returns>
    /// <exception cref="DeliveryException">Nobody got it.</exception>
    internal async Task<IReadOnlyList<string>> Send(AlertChannel channel, NotificationContent content, CancellationToken cancellationToken)
    {
        switch (channel.Kind)
        {
            case ChannelKind.Webhook:
                await webhook.Send(channel, content, cancellationToken);
                return [];
            case ChannelKind.Email:
                return await MailDelivery.Send(channel, content, cancellationToken);
            default:
                await topic.Send(channel, content, cancellationToken);
                return [];
        }
    }
}
