using System.Net.Sockets;
using System.Security.Authentication;
using RabbitMQ.Client.Exceptions;

namespace ManagedServers.Workflows.RabbitMq;

/// <summary>The broker cannot be reached, or refuses. The message says what was tried, what came back and what to do.</summary>
public sealed class RabbitMqException(string message, Exception inner) : Exception(message, inner)
{
    // Of AMQP 0-9-1.
    private const ushort AccessRefused = 403;
    private const ushort NotFound = 404;
    private const ushort PreconditionFailed = 406;
    private const ushort NotAllowed = 530;

    /// <summary>Whether it is one of the client's many kinds, and not an end that was asked for.</summary>
    internal static bool IsBrokers(Exception problem, CancellationToken cancellationToken) =>
        problem is RabbitMQClientException or IOException or SocketException or AuthenticationException or TimeoutException
        || (problem is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    /// <param name="certificate">What was wrong with the broker's certificate.</param>
    internal static RabbitMqException Of(RabbitMqSettings settings, Exception problem, string? certificate = null)
    {
        var causes = Causes(problem).ToList();
        var why = certificate is not null ? $"TLS was refused: {certificate}. Give the right authority (msctl settings rabbitmq set --authority FILE), or the name that stands in the certificate."
            : causes.OfType<AuthenticationFailureException>().Any() ? $"the password of '{settings.User}' is wrong, or there is no such user. Correct it: msctl settings rabbitmq set --password-file FILE"
            : causes.OfType<OperationInterruptedException>().FirstOrDefault()?.ShutdownReason is { } closed ? Closed(settings, closed.ReplyCode, closed.ReplyText)
            : causes.Exists(c => c is EndOfStreamException or SocketException { SocketErrorCode: SocketError.ConnectionReset }) ? $"the connection was ended without a word. See whether port {settings.Port} is the one {(settings.Tls ? "with" : "without")} TLS."
            : causes.OfType<SocketException>().FirstOrDefault() is { } socket ? $"{socket.Message}. See whether RabbitMQ runs there, and whether a firewall is in the way."
            : causes.Exists(c => c is AuthenticationException) ? $"TLS was refused: {causes.First(c => c is AuthenticationException).Message} See whether port {settings.Port} is the one with TLS (usually {RabbitMqSettings.TlsPort})."
            : causes.Exists(c => c is TimeoutException or OperationCanceledException) ? "no answer in time. See whether it is RabbitMQ that listens there, with TLS or without as it is set here, and whether a firewall is in the way."
            : causes[^1].Message;
        return new RabbitMqException($"{settings}: {why}", problem);
    }

    private static string Closed(RabbitMqSettings settings, ushort code, string text) => code switch
    {
        AccessRefused => $"{text}. Give the user '{settings.User}' that right in the virtual host '{settings.VirtualHost}' (rabbitmqctl set_permissions).",
        NotAllowed => $"{text}. Make the virtual host '{settings.VirtualHost}' (rabbitmqctl add_vhost) and let the user in (rabbitmqctl set_permissions), or name another one.",
        PreconditionFailed => $"{text}. The exchange or queue of this name was made otherwise than the product makes it: choose another name, or remove it there.",
        NotFound => text,
        _ => $"closed by RabbitMQ: {code} {text}",
    };

    private static IEnumerable<Exception> Causes(Exception problem)
    {
        yield return problem;
        foreach (var inner in (problem is AggregateException many ? many.InnerExceptions.AsEnumerable() : problem.InnerException is { } one ? [one] : []).SelectMany(Causes))
        {
            yield return inner;
        }
    }
}
