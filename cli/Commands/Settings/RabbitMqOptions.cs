using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Settings;

/// <summary>The options for what is set, or tried.</summary>
internal static class RabbitMqOptions
{
    private static readonly Option<bool> Enable = new("--enable") { Description = "Take what monitors send over RabbitMQ." };
    private static readonly Option<bool> Disable = new("--disable") { Description = "Take nothing from it; what was sent stays in its queue." };
    private static readonly Option<string?> Host = new("--host") { Description = "The broker's name or address, as the product and the hosts reach it.", HelpName = "ADDRESS" };
    private static readonly Option<int?> Port = new("--port") { Description = "5672, or 5671 with TLS, if never given.", HelpName = "PORT" };
    private static readonly Option<string?> VirtualHost = new("--virtual-host") { Description = "/ if never given.", HelpName = "NAME" };
    private static readonly Option<string?> User = new("--user") { Description = "Whom the product signs in as.", HelpName = "NAME" };
    private static readonly Option<string?> PasswordFile = new("--password-file") { Description = "With the password in this file; - for standard input.", HelpName = "FILE" };
    private static readonly Option<string?> HostUser = new("--host-user") { Description = "Whom hosts sign in as; '' for the product's own user.", HelpName = "NAME" };
    private static readonly Option<string?> HostPasswordFile = new("--host-password-file") { Description = "With the password in this file.", HelpName = "FILE" };
    private static readonly Option<bool> Tls = new("--tls") { Description = "With TLS." };
    private static readonly Option<bool> NoTls = new("--no-tls") { Description = "Without: the passwords can be read on the way." };
    private static readonly Option<string?> Authority = new("--authority") { Description = "The authority to trust with TLS: a file in PEM.", HelpName = "FILE" };
    private static readonly Option<string?> Exchange = new("--exchange") { Description = "managed-servers if never given.", HelpName = "NAME" };
    private static readonly Option<string?> Queue = new("--queue") { Description = "managed-servers.statistics if never given.", HelpName = "NAME" };

    public static IReadOnlyList<Option> All =>
        [Enable, Disable, Host, Port, VirtualHost, User, PasswordFile, HostUser, HostPasswordFile, Tls, NoTls, Authority, Exchange, Queue];

    /// <returns>Null where none is given.</returns>
    public static RabbitMqChange? In(Invocation call)
    {
        var change = new RabbitMqChange
        {
            Enabled = Either(call, Enable, Disable), Host = call.Get(Host), Port = call.Get(Port), VirtualHost = call.Get(VirtualHost),
            User = call.Get(User), Password = call.Get(PasswordFile) is { } file ? SecretInput.Line(file, "The password of RabbitMQ") : null,
            HostUser = call.Get(HostUser), HostPassword = call.Get(HostPasswordFile) is { } hosts ? SecretInput.Line(hosts, "The hosts' password of RabbitMQ") : null,
            Tls = Either(call, Tls, NoTls), Authority = call.Get(Authority) is { } authority ? InstallInput.Read(authority, "The authority") : null,
            Exchange = call.Get(Exchange), Queue = call.Get(Queue),
        };
        return change == new RabbitMqChange() ? null : change;
    }

    private static bool? Either(Invocation call, Option<bool> yes, Option<bool> no) => (call.Get(yes), call.Get(no)) switch
    {
        (true, true) => throw new UsageException($"{yes.Name} and {no.Name} exclude each other."),
        (true, _) => true,
        (_, true) => false,
        _ => null,
    };
}
