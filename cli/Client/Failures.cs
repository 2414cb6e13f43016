using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;

namespace ManagedServers.Cli.Client;

/// <summary>Turns what went wrong on the way into words for an operator.</summary>
internal static class Failures
{
    // Longer ones are cut: an error page of a proxy is not worth reading.
    private const int LongestProblem = 64 * 1024;

    public static string Tried(HttpRequestMessage request, Uri root) => $"{request.Method} {new Uri(root, request.RequestUri!)}";

    public static bool IsTransport(Exception e, CancellationToken asked) =>
        !asked.IsCancellationRequested && e is HttpRequestException or IOException or OperationCanceledException or SocketException or AuthenticationException;

    public static UnreachableException Unreachable(Exception e, string tried, TimeSpan? limit = null)
    {
        if (Chain(e).OfType<AuthenticationException>().LastOrDefault() is { } untrusted)
        {
            return new UnreachableException(untrusted.Message, tried, e) { Untrusted = true };
        }

        if (e is OperationCanceledException)
        {
            return new UnreachableException(limit is { } l ? $"no answer within {l.TotalSeconds:0} s" : "no answer in time", tried, e);
        }

        return new UnreachableException(Chain(e).OfType<SocketException>().LastOrDefault() is { } socket ? Words(socket) : Chain(e).Last().Message, tried, e);
    }

    public static async Task<RefusedException> Refused(HttpResponseMessage response, string tried, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        var text = await Text(response, cancellationToken);
        try
        {
            if (text.TrimStart().StartsWith('{') && JsonSerializer.Deserialize(text, ClientJson.Default.Problem) is { } problem)
            {
                return new RefusedException(problem, status, tried);
            }
        }
        catch (JsonException)
        {
            // Not a problem document; the status alone is told below.
        }

        return new RefusedException(new Problem { Title = $"{status} {response.ReasonPhrase}".TrimEnd() }, status, tried);
    }

    private static async Task<string> Text(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            return text.Length > LongestProblem ? "" : text;
        }
        catch (Exception e) when (IsTransport(e, cancellationToken))
        {
            return "";
        }
    }

    private static string Words(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "the connection was refused: nothing listens there",
        SocketError.HostNotFound or SocketError.NoData => "the host's name is not known",
        SocketError.TimedOut => "no answer: the host is down, or a firewall drops the packets",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "there is no way to the host",
        SocketError.ConnectionReset => "the connection was cut by the other side",
        _ => e.Message,
    };

    private static IEnumerable<Exception> Chain(Exception e)
    {
        for (Exception? each = e; each is not null; each = each.InnerException)
        {
            yield return each;
        }
    }
}
