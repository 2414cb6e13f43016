using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using RabbitMQ.Client;

namespace ManagedServers.Workflows.RabbitMq;

/// <summary>Signs in on the broker, and says in an operator's words why that failed.</summary>
internal static class RabbitMqConnection
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // The largest that a broker takes by default. The client ends the connection at a larger one, which would come again with the next connection, and again.
    private const uint LargestMessage = 128 * 1024 * 1024;

    /// <exception cref="RabbitMqException">It is not connected; says why.</exception>
    public static async Task<IConnection> Open(RabbitMqSettings settings, string name, CancellationToken cancellationToken)
    {
        string? certificate = null;
        var factory = new ConnectionFactory
        {
            HostName = settings.Host, Port = settings.Port, VirtualHost = settings.VirtualHost, UserName = settings.User, Password = settings.Password ?? "",
            // Whoever uses it opens another one: then it is known which message belongs to which.
            AutomaticRecoveryEnabled = false, TopologyRecoveryEnabled = false,
            RequestedConnectionTimeout = Patience, HandshakeContinuationTimeout = Patience, ContinuationTimeout = Patience, RequestedHeartbeat = TimeSpan.FromSeconds(30),
            MaxInboundMessageBodySize = LargestMessage,
        };
        if (settings.Tls)
        {
            factory.Ssl = new SslOption(settings.Host)
            {
                Enabled = true,
                CertificateValidationCallback = (_, presented, _, problems) => (certificate = Wrong(presented, problems, settings)) is null,
            };
        }

        try
        {
            return await factory.CreateConnectionAsync($"managed-servers {name}", cancellationToken);
        }
        catch (Exception problem) when (RabbitMqException.IsBrokers(problem, cancellationToken))
        {
            throw RabbitMqException.Of(settings, problem, certificate);
        }
    }

    private static string? Wrong(X509Certificate? presented, SslPolicyErrors problems, RabbitMqSettings settings)
    {
        if (presented is null)
        {
            return "it presents no certificate";
        }

        if (problems.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return $"its certificate ({presented.Subject}) is not for the name {settings.Host}";
        }

        using var certificate = new X509Certificate2(presented);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(settings.Authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate) ? null
            : $"its certificate ({certificate.Subject}, signed by {certificate.Issuer}) does not lead to the authority to trust: {string.Join(" ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()).Distinct())}";
    }
}
