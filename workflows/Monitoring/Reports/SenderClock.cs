namespace ManagedServers.Workflows.Monitoring;

/// <summary>Turns a sender's times into ours. Only ages are believed: a clock that is wrong by years does no harm if the sender says what it shows.</summary>
/// <param name="sentAt">In our clock, where it is known and lies before <paramref name="receivedAt"/>.</param>
internal sealed class SenderClock(DateTimeOffset receivedAt, DateTimeOffset? senderNow, TimeSpan oldest, DateTimeOffset? sentAt = null)
{
    // A clock read twice with a step in between; more than that ahead is a mistake.
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    private readonly DateTimeOffset sent = sentAt < receivedAt ? sentAt.Value : receivedAt;

    public DateTimeOffset ReceivedAt { get; } = Whole(receivedAt);

    /// <summary>Seconds by which the sender's clock is behind ours.</summary>
    public double? Offset => senderNow is { } now ? (sent - now).TotalSeconds : null;

    /// <summary>The age, never negative, or a refusal.</summary>
    public TimeSpan Age(DateTimeOffset? theirs, string field, Refusals refusals)
    {
        refusals.Require(theirs is not null, field, "A time is needed, as in 2026-01-01T00:00:00Z.");
        var age = theirs is { } at ? (senderNow ?? sent) - at : TimeSpan.Zero;
        refusals.Require(age <= oldest - (ReceivedAt - sent), field, $"At most {oldest.TotalDays:0} days before its arrival.");
        refusals.Require(age >= -Ahead, field, $"At most {Ahead.TotalMinutes:0} minutes after the time of sending.");
        return age > TimeSpan.Zero ? age : TimeSpan.Zero;
    }

    public DateTimeOffset Ours(TimeSpan age) => age < sent - DateTimeOffset.UnixEpoch ? Whole(sent - age) : DateTimeOffset.UnixEpoch;

    // Whole milliseconds: what the network adds to a time is more, and finer ones could not be packed.
    private static DateTimeOffset Whole(DateTimeOffset at) => new(at.UtcTicks - at.UtcTicks % TimeSpan.TicksPerMillisecond, TimeSpan.Zero);
}
