using System.Globalization;
using System.Net.Sockets;
using System.Text;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace ManagedServers.Workflows.Alerts;

/// <summary>A mail of plain text. Its Message-Id is made from the notification's id, so that a mail server that has it already can tell.</summary>
internal static class MailDelivery
{
    private const int Limit = 30_000; // ms, of each answer

    /// <returns>Recipients that the server did not take, while it took others.</returns>
    /// <exception cref="DeliveryException">Nobody gets it.</exception>
    public static async Task<IReadOnlyList<string>> Send(AlertChannel channel, NotificationContent content, CancellationToken cancellationToken)
    {
        var settings = channel.Settings;
        var server = $"{settings.Host}:{settings.Port}";
        string? certificate = null;
        using var client = new Client { Timeout = Limit, CheckCertificateRevocation = false };
        client.ServerCertificateValidationCallback = (_, presented, _, problems) => (certificate = OwnAuthority.Wrong(presented, problems, settings.Authority)) is null;
        try
        {
            using var message = Message(settings, content);
            await client.ConnectAsync(settings.Host!, settings.Port!.Value, settings.Security switch
            {
                MailSecurity.Tls => SecureSocketOptions.SslOnConnect,
                MailSecurity.Starttls => SecureSocketOptions.StartTls,
                _ => SecureSocketOptions.None,
            }, cancellationToken);
            if (settings.User is { } user)
            {
                await client.AuthenticateAsync(Encoding.UTF8, user, channel.Secrets.Password!, cancellationToken);
            }

            await client.SendAsync(message, cancellationToken);
            await client.DisconnectAsync(quit: true, cancellationToken);
            return client.Refused;
        }
        catch (SmtpCommandException refused)
        {
            var isFinal = (int)refused.StatusCode >= 500;
            throw new DeliveryException(string.Create(CultureInfo.InvariantCulture, $"{server} refused the mail: {(int)refused.StatusCode} {refused.Message}{(refused.Mailbox is { } mailbox ? $" ({mailbox.Address})" : "")}"), isFinal, refused);
        }
        catch (AuthenticationException refused)
        {
            throw new DeliveryException($"{server} does not let '{settings.User}' in: {refused.Message}. Correct it: msctl alerts channels edit NAME --password-file FILE", isFinal: true, refused);
        }
        catch (NotSupportedException plain)
        {
            throw new DeliveryException($"{server} offers no STARTTLS or no login: {plain.Message} Set the channel's security to what the server has.", isFinal: true, plain);
        }
        catch (Exception problem) when (problem is SslHandshakeException or IOException or SocketException or ProtocolException or ServiceNotConnectedException or TimeoutException
            || (problem is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new DeliveryException($"{server}: {(certificate is not null ? $"TLS was refused: {certificate}" : problem is SslHandshakeException ? $"TLS was refused. See whether port {settings.Port} is the one with TLS" : problem.Message)}.", inner: problem);
        }
    }

    private static MimeMessage Message(ChannelSettings settings, NotificationContent content)
    {
        var message = new MimeMessage { Subject = $"[Managed Servers] {content.Subject()}", Date = content.At, MessageId = $"{content.Id:N}@managed-servers", Body = new TextPart("plain") { Text = NotificationText.Of(content) } };
        message.From.Add(MailboxAddress.Parse(settings.From!));
        message.To.AddRange(settings.To!.Select(MailboxAddress.Parse));
        // So that nobody's "I am on holiday" comes back.
        message.Headers.Add("Auto-Submitted", "auto-generated");
        return message;
    }

    /// <summary>One wrong address must not keep the others from knowing.</summary>
    private sealed class Client : SmtpClient
    {
        public List<string> Refused { get; } = [];

        protected override void OnRecipientNotAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response)
        {
            Refused.Add(mailbox.Address);
            if (Refused.Count == message.To.Count)
            {
                base.OnRecipientNotAccepted(message, mailbox, response);
            }
        }
    }
}
