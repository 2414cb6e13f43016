using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Servers;
using Microsoft.Extensions.Caching.Memory;
using Npgsql;

namespace ManagedServers.Api.Hosting;

/// <summary>The command line of the product's own process. Operators work with msctl.</summary>
internal static class Commands
{
    private const int DefaultPort = 8443;

    private static readonly Option<string> Data = new("--data") { Description = "Folder for everything outside the database", DefaultValueFactory = _ => "/var/lib/managed-servers-product" };
    private static readonly Option<string?> Database = new("--database")
    {
        Description = "Connection string of a PostgreSQL of your own; without it the product runs a private one. Its password stands in ~/.pgpass or in the file that PGPASSFILE names",
        CustomParser = Connection,
    };

    public static RootCommand Root() => new("Managed Servers: DNS and DHCP servers, installed, upgraded, configured and monitored.") { Serve(), ResetAdmin() };

    private static Command Serve()
    {
        var listen = new Option<IPEndPoint[]>("--listen")
        {
            Description = $"Address to listen on with TLS, as https://ADDRESS:PORT; may be repeated (default: all addresses, port {DefaultPort})",
            CustomParser = EndPoints, AllowMultipleArgumentsPerToken = false,
        };
        var apiAddress = new Option<Uri?>("--api-address") { Description = "The product's address as managed hosts reach it (default: the address from which it reaches them)", CustomParser = Address };
        var images = new Option<string?>("--images") { Description = "Folder with the images made by './run images'" };
        var node = new Option<string>("--node") { Description = "Name of this process among several on one database", DefaultValueFactory = _ => Environment.MachineName };
        var serve = new Command("serve", "Run the product until it is told to stop") { Data, Database, listen, apiAddress, images, node };
        serve.SetAction(async (parsed, cancellationToken) =>
        {
            var endpoints = parsed.GetValue(listen) is { Length: > 0 } given ? given : [new IPEndPoint(IPAddress.Any, DefaultPort)];
            return await Guard(() => Product.Run(new ServeOptions
            {
                DataFolder = Path.GetFullPath(parsed.GetValue(Data)!),
                Database = parsed.GetValue(Database),
                Listen = endpoints,
                ApiAddress = parsed.GetValue(apiAddress),
                ImagesFolder = Path.GetFullPath(parsed.GetValue(images) ?? DefaultImages()),
                NodeName = parsed.GetValue(node)!,
            }, cancellationToken));
        });
        return serve;
    }

    private static Command ResetAdmin()
    {
        var reset = new Command("reset-admin", "Give the administrator a new random password; it is written to DATA/admin-password") { Data, Database };
        reset.SetAction((parsed, cancellationToken) => Guard(async () =>
        {
            var data = Path.GetFullPath(parsed.GetValue(Data)!);
            await using var opened = await OpenedDatabase.Open(data, parsed.GetValue(Database), "reset-admin", cancellationToken);
            using var cache = new MemoryCache(new MemoryCacheOptions());
            var file = Path.Combine(data, "admin-password");
            await PrivateFile.Write(file, await new Accounts(opened.Source, cache).ResetAdministrator(cancellationToken) + "\n", cancellationToken);
            Console.WriteLine($"The account 'admin' has a new password. It is in {file}.");
        }));
        return reset;
    }

    /// <summary>A failed start is one sentence for the operator, not a stack trace.</summary>
    private static async Task<int> Guard(Func<Task> action)
    {
        try
        {
            await action();
            return 0;
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException or NpgsqlException)
        {
            await Console.Error.WriteLineAsync($"managed-servers could not start: {e.Message}");
            return 1;
        }
    }

    private static IPEndPoint[] EndPoints(ArgumentResult result)
    {
        List<IPEndPoint> endpoints = [];
        foreach (var token in result.Tokens)
        {
            var text = token.Value.StartsWith("https://", StringComparison.Ordinal) ? token.Value["https://".Length..].TrimEnd('/') : "";
            if (IPEndPoint.TryParse(text, out var endpoint) && endpoint.Port > 0)
            {
                endpoints.Add(endpoint);
            }
            else
            {
                result.AddError($"--listen {token.Value}: write https://ADDRESS:PORT with an IP address, for example https://0.0.0.0:{DefaultPort}.");
            }
        }

        return [.. endpoints];
    }

    /// <summary>Every user of this machine sees the arguments of its processes.</summary>
    private static string? Connection(ArgumentResult result)
    {
        var text = result.Tokens.Single().Value;
        try
        {
            if (new NpgsqlConnectionStringBuilder(text).Password is { Length: > 0 })
            {
                result.AddError("--database must not hold the password, which every user of this machine would see in the list of processes. Write it into ~/.pgpass, or into a file that the environment variable PGPASSFILE names (one line HOST:PORT:DATABASE:USER:PASSWORD, readable by its owner only).");
            }
        }
        catch (ArgumentException e)
        {
            result.AddError($"--database is no connection string ({e.Message}). Write for example \"Host=db.example.org;Username=ms;Database=ms\".");
        }

        return text;
    }

    private static Uri? Address(ArgumentResult result)
    {
        var text = result.Tokens.Single().Value;
        if (!ApiAddresses.TryParse(text, out var address))
        {
            result.AddError($"--api-address {text}: it {ApiAddresses.Rule}.");
        }

        return address;
    }

    private static string DefaultImages()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ManagedServers.sln")))
            {
                return Path.Combine(folder.FullName, "artifacts", "images");
            }
        }

        return Path.Combine(AppContext.BaseDirectory, "images");
    }
}
