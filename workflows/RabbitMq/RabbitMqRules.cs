using System.Globalization;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.RabbitMq;

/// <summary>What the settings may be.</summary>
internal static class RabbitMqRules
{
    // AMQP 0-9-1 has 255 bytes for each name; some are left for those that are made from it.
    private const int LongestName = 200;
    private const int LongestUser = 255;
    private const int LongestPassword = 1024;

    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    public static RabbitMqSettings Apply(RabbitMqSettings before, RabbitMqChange change)
    {
        var errors = new InputErrors();
        var tls = change.Tls ?? before.Tls;
        var after = before with
        {
            Enabled = change.Enabled ?? before.Enabled, Tls = tls,
            Host = change.Host is null ? before.Host : errors.Parse<HostAddress>("host", change.Host)?.Text ?? "",
            Port = Port(before, change, tls, errors),
            VirtualHost = Word("virtualHost", change.VirtualHost, errors) ?? before.VirtualHost,
            User = Word("user", change.User, errors) ?? before.User,
            HostUser = change.HostUser is "" ? null : Word("hostUser", change.HostUser, errors) ?? before.HostUser,
            Authority = change.Authority is null ? before.Authority : GivenAuthority.Check(change.Authority, errors),
            Exchange = Name("exchange", change.Exchange, errors) ?? before.Exchange,
            Queue = Name("queue", change.Queue, errors) ?? before.Queue,
        };
        after = after with
        {
            Password = Password("password", change.Password, before.Password, Moved(before.User, after.User), errors),
            HostPassword = after.HostUser is null ? null : Password("hostPassword", change.HostPassword, before.HostPassword, Moved(before.HostUser, after.HostUser), errors),
        };
        if (change.HostPassword is not null && after.HostUser is null)
        {
            errors.Add("hostPassword", "belongs to hostUser, and there is none");
        }

        if (after is { Tls: true, Authority: null })
        {
            errors.Add("authority", "is needed with TLS: the certificate, in PEM, of the authority that has signed the broker's");
        }

        if (after.Enabled)
        {
            Needed("host", after.Host, errors);
            Needed("user", after.User, errors);
            Needed("password", after.Password, errors);
        }

        errors.ThrowIfAny();
        return after;

        // A password is sent only where it was meant for when it was given.
        bool Moved(string? user, string? now) => before.Host != after.Host || before.Port != after.Port || user != now || (before.Tls && !after.Tls);
    }

    private static int Port(RabbitMqSettings before, RabbitMqChange change, bool tls, InputErrors errors)
    {
        if (change.Port is < 1 or > 65_535)
        {
            errors.Add("port", "must be a number from 1 to 65535");
        }

        var usual = before.Port == (before.Tls ? RabbitMqSettings.TlsPort : RabbitMqSettings.PlainPort);
        return change.Port ?? (usual ? tls ? RabbitMqSettings.TlsPort : RabbitMqSettings.PlainPort : before.Port);
    }

    private static string? Password(string field, string? given, string? kept, bool moved, InputErrors errors)
    {
        if (given is null)
        {
            if (kept is not null && moved)
            {
                errors.Add(field, "must be given again, because host, port or user are others, or TLS was taken away: what is stored is not sent elsewhere");
            }

            return kept;
        }

        if (given.Length is < SecretRedactor.ShortestPassword or > LongestPassword || given.Any(char.IsControl))
        {
            errors.Add(field, string.Create(CultureInfo.InvariantCulture, $"must be one line of {SecretRedactor.ShortestPassword} to {LongestPassword} characters"));
        }

        return given;
    }

    private static string? Word(string field, string? text, InputErrors errors)
    {
        if (text is not null && (text.Length is 0 or > LongestUser || text.Any(char.IsControl)))
        {
            errors.Add(field, $"must be one line of 1 to {LongestUser} characters");
        }

        return text;
    }

    private static string? Name(string field, string? text, InputErrors errors)
    {
        if (text is not null && (text.Length is 0 or > LongestName || text.StartsWith("amq.", StringComparison.Ordinal) || !text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or ':')))
        {
            errors.Add(field, $"must have 1 to {LongestName} letters, digits, dots, dashes, underscores and colons, and not begin with amq.");
        }

        return text;
    }

    private static void Needed(string field, string? value, InputErrors errors)
    {
        if (string.IsNullOrEmpty(value))
        {
            errors.Add(field, "is needed before RabbitMQ is enabled");
        }
    }
}
