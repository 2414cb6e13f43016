using System.Reflection;
using Renci.SshNet;
using Renci.SshNet.Messages.Connection;

namespace ManagedServers.Workflows.Hosts.Ssh;

/// <param name="Reason">The number of RFC 4254, section 5.1.</param>
/// <param name="Said">In the host's words.</param>
internal sealed record ChannelRefusal(uint Reason, string Said)
{
    public const uint Prohibited = 1;
}

/// <summary>Hears why a host refuses a channel.</summary>
internal sealed class ChannelRefusals : IDisposable
{
    private const int Longest = 200;

    // SSH.NET has the reason and gives it to nobody. Should a later version hide it better, messages say less, and nothing else changes.
    private static readonly PropertyInfo? SessionOf = typeof(BaseClient).GetProperty("Session", BindingFlags.Instance | BindingFlags.NonPublic);
    private readonly Session? session;
    private volatile ChannelRefusal? last;

    public ChannelRefusals(SshClient client)
    {
        session = SessionOf?.GetValue(client) as Session;
        if (session is not null)
        {
            session.ChannelOpenFailureReceived += Note;
        }
    }

    public ChannelRefusal? Last => last;

    public void Dispose()
    {
        if (session is not null)
        {
            session.ChannelOpenFailureReceived -= Note;
        }
    }

    // Of two tunnels that one host refuses in the same moment, each may hear the other's reason: it knows no better whose it is.
    private void Note(object? sender, MessageEventArgs<ChannelOpenFailureMessage> refused)
    {
        var said = new string([.. refused.Message.Description.Take(Longest).Select(c => char.IsControl(c) ? ' ' : c)]).Trim();
        last = new ChannelRefusal(refused.Message.ReasonCode, said);
    }
}
