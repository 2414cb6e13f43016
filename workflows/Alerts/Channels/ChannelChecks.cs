using System.Globalization;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;
using MimeKit;

namespace ManagedServers.Workflows.Alerts;

/// <summary>What a channel may be.</summary>
internal static class ChannelChecks
{
    private const int MostRecipients = 50;
    private const int LongestUrl = 2000;
    private const int ShortestKey = 16;
    private const int LongestSecret = 1024;
    private const string DefaultKey = "alerts";

    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    public static AlertChannel Merge(ChannelRequest request, AlertChannel? before)
    {
        var errors = new InputErrors();
        if (before is null && (request.Kind is null || !Enum.IsDefined(request.Kind.Value)))
        {
            errors.Add("kind", "must be webhook, email or rabbitmq");
        }

        if (before is not null && request.Kind is { } kind && kind != before.Kind)
        {
            errors.Add("kind", "cannot be changed: add another channel");
        }

        var channel = new AlertChannel
        {
            Id = before?.Id ?? Guid.CreateVersion7(),
            Name = before is not null && request.Name is null ? before.Name : errors.Parse<DisplayName>("name", request.Name)?.Text ?? "",
            Enabled = request.Enabled ?? before?.Enabled ?? true, Kind = before?.Kind ?? request.Kind ?? ChannelKind.Webhook, Severity = request.Severity ?? before?.Severity ?? AlertSeverity.Info,
            Settings = before?.Settings ?? new(), Secrets = before?.Secrets ?? new(), HasSecret = false,
        };
        if (!Enum.IsDefined(channel.Severity))
        {
            errors.Add("severity", "must be info, warning or critical");
        }

        errors.ThrowIfAny();
        Unfit(request, channel.Kind, errors);
        channel = channel.Kind switch
        {
            ChannelKind.Webhook => Webhook(request, channel, errors),
            ChannelKind.Email => Email(request, channel, errors),
            _ => channel with { Settings = new ChannelSettings { RoutingKey = Key(request.RoutingKey ?? channel.Settings.RoutingKey ?? DefaultKey, errors) } },
        };
        errors.ThrowIfAny();
        return channel with { HasSecret = (channel.Secrets.Key ?? channel.Secrets.Password) is not null };
    }

    private static void Unfit(ChannelRequest request, ChannelKind kind, InputErrors errors)
    {
        var given = new (string Field, bool Given, bool Fits)[]
        {
            ("url", request.Url is not null, kind == ChannelKind.Webhook), ("secret", request.Secret is not null, kind == ChannelKind.Webhook),
            ("host", request.Host is not null, kind == ChannelKind.Email), ("port", request.Port is not null, kind == ChannelKind.Email),
            ("security", request.Security is not null, kind == ChannelKind.Email), ("user", request.User is not null, kind == ChannelKind.Email),
            ("password", request.Password is not null, kind == ChannelKind.Email), ("from", request.From is not null, kind == ChannelKind.Email),
            ("to", request.To is not null, kind == ChannelKind.Email), ("authority", request.Authority is not null, kind != ChannelKind.Rabbitmq),
            ("routingKey", request.RoutingKey is not null, kind == ChannelKind.Rabbitmq),
        };
        foreach (var (field, _, _) in given.Where(g => g is { Given: true, Fits: false }))
        {
            errors.Add(field, $"has no meaning for the kind {AlertWords.Of(kind)}");
        }
    }

    private static AlertChannel Webhook(ChannelRequest request, AlertChannel channel, InputErrors errors)
    {
        var url = request.Url ?? channel.Secrets.Url;
        if (url is null || url.Length > LongestUrl || !Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0
            || address.Fragment.Length > 0 || url.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
        {
            errors.Add("url", $"must be an address with http or https of at most {LongestUrl} characters, without a user and a fragment");
            return channel;
        }

        if (System.Net.IPAddress.TryParse(address.DnsSafeHost, out var literal) && WebhookTarget.Forbidden(literal) is { } why)
        {
            errors.Add("url", why);
        }

        if (request.Secret is { Length: > 0 } secret && (secret.Length is < ShortestKey or > LongestSecret || secret.Any(char.IsControl)))
        {
            errors.Add("secret", string.Create(CultureInfo.InvariantCulture, $"must be one line of {ShortestKey} to {LongestSecret} characters"));
        }

        return channel with
        {
            Settings = new ChannelSettings { Origin = address.GetLeftPart(UriPartial.Authority), Authority = GivenAuthority.Check(request.Authority ?? channel.Settings.Authority, errors) },
            Secrets = new ChannelSecrets(Url: url, Key: (request.Secret ?? channel.Secrets.Key) is { Length: > 0 } key ? key : null),
        };
    }

    private static AlertChannel Email(ChannelRequest request, AlertChannel channel, InputErrors errors)
    {
        var before = channel.Settings;
        var security = request.Security ?? before.Security ?? MailSecurity.Starttls;
        var usual = before.Port is null || before.Port == UsualPort(before.Security ?? MailSecurity.Starttls);
        if (request.Port is < 1 or > 65_535)
        {
            errors.Add("port", "must be a number from 1 to 65535");
        }

        if (!Enum.IsDefined(security))
        {
            errors.Add("security", "must be none, starttls or tls");
        }

        var after = new ChannelSettings
        {
            Host = request.Host is null ? before.Host : errors.Parse<HostAddress>("host", request.Host)?.Text,
            Port = request.Port ?? (usual ? UsualPort(security) : before.Port), Security = security,
            User = (request.User ?? before.User) is { Length: > 0 } user ? Line("user", user, 255, errors) : null,
            From = request.From is null ? before.From : Mailbox("from", request.From, errors),
            To = request.To is null ? before.To : [.. request.To.Index().Select(t => Mailbox(string.Create(CultureInfo.InvariantCulture, $"to[{t.Index}]"), t.Item, errors))],
            Authority = GivenAuthority.Check(request.Authority ?? before.Authority, errors),
        };
        Needed("host", after.Host, errors);
        Needed("from", after.From, errors);
        if (after.To is not { Count: > 0 and <= MostRecipients })
        {
            errors.Add("to", $"must name 1 to {MostRecipients} addresses");
        }

        return channel with { Settings = after, Secrets = new ChannelSecrets(Password: Password(request, channel, after, errors)) };
    }

    private static string? Password(ChannelRequest request, AlertChannel channel, ChannelSettings after, InputErrors errors)
    {
        var before = channel.Settings;
        if (after.User is null)
        {
            if (request.Password is not null)
            {
                errors.Add("password", "belongs to a user, and there is none");
            }

            return null;
        }

        if (after.Security == MailSecurity.None)
        {
            errors.Add("security", "must be starttls or tls where somebody signs in: the password could be read on the way");
        }

        // A password is sent only where it was meant for when it was given.
        var moved = before.Host != after.Host || before.Port != after.Port || before.User != after.User;
        if (request.Password is null && (channel.Secrets.Password is null || moved))
        {
            errors.Add("password", channel.Secrets.Password is null ? "is needed with a user" : "must be given again, because host, port or user are others: what is stored is not sent elsewhere");
        }

        if (request.Password is { } given && (given.Length is < SecretRedactor.ShortestPassword or > LongestSecret || given.Any(char.IsControl)))
        {
            errors.Add("password", string.Create(CultureInfo.InvariantCulture, $"must be one line of {SecretRedactor.ShortestPassword} to {LongestSecret} characters"));
        }

        return request.Password ?? channel.Secrets.Password;
    }

    private static int UsualPort(MailSecurity security) => security switch { MailSecurity.Tls => 465, MailSecurity.Starttls => 587, _ => 25 };

    private static string Mailbox(string field, string? text, InputErrors errors)
    {
        if (text is { Length: <= 254 } && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)) && MailboxAddress.TryParse(text, out var mailbox) && mailbox.Address == text && text.Contains('@', StringComparison.Ordinal))
        {
            return text;
        }

        errors.Add(field, "must be one mail address, for example ops@example.org");
        return "";
    }

    private static string Key(string text, InputErrors errors)
    {
        if (text.Length is 0 or > 200 || !text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
        {
            errors.Add("routingKey", "must have 1 to 200 letters, digits, dots, dashes and underscores");
        }

        return text;
    }

    private static string Line(string field, string text, int most, InputErrors errors)
    {
        if (text.Length > most || text.Any(char.IsControl))
        {
            errors.Add(field, $"must be one line of at most {most} characters");
        }

        return text;
    }

    private static void Needed(string field, string? value, InputErrors errors)
    {
        if (string.IsNullOrEmpty(value))
        {
            errors.Add(field, "is needed");
        }
    }
}
