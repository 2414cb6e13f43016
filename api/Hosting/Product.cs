using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization.Metadata;
using ManagedServers.Api.Authentication;
using ManagedServers.Api.Endpoints;
using ManagedServers.Dashboard;
using ManagedServers.Engine;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Alerts;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Credentials;
using ManagedServers.Workflows.Drift;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Fleet;
using ManagedServers.Workflows.HostKeys;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Pull;
using ManagedServers.Workflows.RabbitMq;
using ManagedServers.Workflows.Routes;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;
using Npgsql;
using Serilog;

namespace ManagedServers.Api.Hosting;

/// <summary>One process of the product: API, dashboard, agents' way in, and a node that executes runs.</summary>
internal static class Product
{
    /// <param name="also">What a test registers beside the product's own.</param>
    public static async Task Run(ServeOptions options, CancellationToken cancellationToken, Action<IServiceCollection>? also = null)
    {
        Directory.CreateDirectory(options.DataFolder);
        File.Delete(options.ReadyFile);
        foreach (var endpoint in options.Listen)
        {
            MustBeFree(endpoint);
        }

        await using var database = await OpenedDatabase.Open(options.DataFolder, options.Database, options.NodeName, cancellationToken);
        var masterKey = await MasterKey.Open(options.MasterKeyFile, database.Source, cancellationToken);
        await using var app = Build(options, database.Source, masterKey, also);
        database.Keep(app.Logger);
        await ShowFirstPassword(options, app.Services, cancellationToken);
        await File.WriteAllTextAsync(options.AuthorityFile, app.Services.GetRequiredService<CertificateAuthority>().Pem, cancellationToken);
        await app.StartAsync(cancellationToken);
        await File.WriteAllTextAsync(options.ReadyFile, $"https://{options.Listen[0]}\n", CancellationToken.None);
        app.Logger.LogInformation("Managed Servers serves at {Addresses}", string.Join(", ", options.Listen.Select(l => $"https://{l}")));
        try
        {
            await app.WaitForShutdownAsync(cancellationToken);
        }
        finally
        {
            File.Delete(options.ReadyFile);
        }
    }

    /// <summary>Found out before anything begins: Kestrel binds last, when much would have to be ended again.</summary>
    private static void MustBeFree(IPEndPoint endpoint)
    {
        try
        {
            using var probe = new TcpListener(endpoint);
            probe.Start();
        }
        catch (SocketException e)
        {
            throw new InvalidOperationException(
                $"https://{endpoint} cannot be listened on: {e.Message}. See who does with `ss -ltnp 'sport = :{endpoint.Port}'`, or choose another address with --listen.", e);
        }
    }

    private static WebApplication Build(ServeOptions options, NpgsqlDataSource database, MasterKey masterKey, Action<IServiceCollection>? also)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, ApplicationName = typeof(Product).Assembly.GetName().Name });

        // Run from a build's folder, the dashboard's files lie in its project; a published product has them beside it, and this does nothing.
        builder.WebHost.UseStaticWebAssets();
        builder.Services.AddSingleton(options).AddSingleton(database).AddSingleton(TimeProvider.System);
        builder.Services.AddSettings(masterKey).AddAccess().AddHosts().AddServers().AddCommands().AddRoutes().AddCredentials().AddHostKeys().AddEnrolment()
            .AddProvisioning(options.ImagesFolder, new ReportAddress(options.ApiAddress, options.Listen[0].Port));
        builder.Services.AddSingleton(services =>
            CertificateAuthority.Open(database, services.GetRequiredService<Secrets>(), TimeProvider.System).GetAwaiter().GetResult());
        builder.Services.AddEngine(engine => engine.NodeName = options.NodeName)
            .AddWorkflow<InstallWorkflow>().AddWorkflow<UninstallWorkflow>().AddWorkflow<StartWorkflow>().AddWorkflow<StopWorkflow>().AddWorkflow<RestartWorkflow>().AddWorkflow<RunCommandsWorkflow>()
            .AddWorkflow<ManualInstallWorkflow>().AddWorkflow<ManualUninstallWorkflow>().AddWorkflow<RotateCredentialWorkflow>().AddWorkflow<AcceptHostKeyWorkflow>()
            .AddWorkflow<ApplyWorkflow>().AddWorkflow<CheckDriftWorkflow>().AddWorkflow<NotifyWorkflow>().AddWorkflow<PollStatisticsWorkflow>();

        // After the engine, which refuses to start under a name that is taken: nothing else has begun by then.
        builder.Services.AddMonitoring();
        builder.Services.AddRabbitMq(new RabbitMqOptions { Node = options.NodeName });
        builder.Services.AddAlerts();
        builder.Services.AddDrift().AddFleet().AddPull();
        builder.Services.AddSignIn();
        builder.Services.AddDashboard();
        builder.Services.AddExceptionHandler<Problems>().AddProblemDetails().AddOpenApi("v2", document =>
            // Otherwise the address by which this very request called the product.
            document.AddDocumentTransformer((description, _, _) =>
            {
                description.Servers = [new() { Url = "/" }];
                description.Components ??= new();
                description.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
                {
                    ["token"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer" },
                    ["password"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "basic" },
                };
                description.Security = [.. description.Components.SecuritySchemes.Keys.Select(scheme => new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(scheme, description)] = [] })];
                return Task.CompletedTask;
            }));
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            foreach (var converter in EngineJson.Options.Converters)
            {
                json.SerializerOptions.Converters.Add(converter);
            }

            json.SerializerOptions.MaxDepth = 32;
            json.SerializerOptions.TypeInfoResolver = json.SerializerOptions.TypeInfoResolver!.WithAddedModifier(Requests.RefuseUnknownMembers);
        });
        Logs.Configure(builder, options.DataFolder);
        Listen(builder, options);
        also?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapProduct();
        return app;
    }

    private static void Listen(WebApplicationBuilder builder, ServeOptions options) => builder.WebHost.ConfigureKestrel(kestrel =>
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = Requests.LargestInstall;
        var certificate = new Lazy<X509Certificate2>(() =>
            kestrel.ApplicationServices.GetRequiredService<CertificateAuthority>().Issue(options.Listen.Select(l => l.Address).Where(a => !a.Equals(IPAddress.Any) && !a.Equals(IPAddress.IPv6Any)), TimeProvider.System));
        foreach (var endpoint in options.Listen)
        {
            kestrel.Listen(endpoint, listen => listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => certificate.Value));
        }
    });

    private static void MapProduct(this WebApplication app)
    {
        app.UseExceptionHandler("/error", createScopeForErrors: true);
        app.UseMiddleware<ResponseHeaders>();
        app.UseOwnOrigin();
        app.UseWhen(context => context.Request.Path.StartsWithSegments("/api"), api => api.Use(JsonOnly.Invoke).Use(Requests.SayWhatIsTooLarge));
        app.UseRouting(); // after that: a route is chosen by the content type too
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.UseWhen(context => context.Request.Path.StartsWithSegments("/api"), api => api.Use(IdempotencyKeys.Invoke));

        var api = app.MapGroup("/api/v2").AddEndpointFilterFactory(QueryRules.Filter).AddEndpointFilterFactory(CommandRights.Filter).WithMetadata(new RequestSizeLimitAttribute(Requests.LargestBody));
        api.MapMe();
        api.MapPVServers();
        api.MapSshRoutes();
        api.MapConfiguration();
        api.MapDrift();
        api.MapCommands();
        api.MapRuns();
        api.MapSchedules();
        api.MapEngine();
        api.MapReports();
        api.MapSettings();
        api.MapMetrics();
        api.MapServices();
        api.MapAlerts();
        api.MapEnrolment();
        api.Map("{**path}", (HttpContext context) => Problems.Write(context, 404, "not-found", "No such address", $"{context.Request.Method} {context.Request.Path} is not part of the API. /openapi/v2.json describes it."))
            .RequireAuthorization(nameof(Right.Read));
        app.MapOpenApi("/openapi/{documentName}.json").RequireAuthorization(nameof(Right.Read));
        app.MapFleetMetrics();
        app.MapGet("/healthz", () => Results.Text("ok\n")).AllowAnonymous();
        app.MapGet("/readyz", Ready).AllowAnonymous();
        app.MapGet("/ca.pem", (CertificateAuthority authority) => Results.Text(authority.Pem, "application/x-pem-file")).AllowAnonymous();
        app.MapGet(EnrolmentLine.ScriptPath, () => Results.Bytes(EnrolmentLine.Script, "text/x-python")).AllowAnonymous();
        app.MapDashboard();
    }

    private static async Task<IResult> Ready(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = database.CreateCommand("select 1");
            await command.ExecuteScalarAsync(cancellationToken);
            return Results.Text("ready\n");
        }
        catch (NpgsqlException)
        {
            return Results.Text("the database does not answer\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static async Task ShowFirstPassword(ServeOptions options, IServiceProvider services, CancellationToken cancellationToken)
    {
        var password = await services.GetRequiredService<Accounts>().EnsureAdministrator(cancellationToken);
        if (password is null)
        {
            return;
        }

        await PrivateFile.Write(options.AdminPasswordFile, password + "\n", cancellationToken);

        // On a terminal for the person in front of it; never into a pipe, where it would end in a log.
        Console.WriteLine(Console.IsOutputRedirected
            ? $"The account 'admin' has been made. Its password is in {options.AdminPasswordFile}."
            : $"The account 'admin' has been made. Its password, shown this once: {password}   (also in {options.AdminPasswordFile})");
    }
}
