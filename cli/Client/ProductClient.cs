using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ManagedServers.Cli.Client;

/// <summary>The product's API, by its families.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class ProductClient(ProductHttp http) : IDisposable
{
    /// <summary>Managed hosts.</summary>
    public ServersApi Servers { get; } = new(http);

    /// <summary>Stored chains of jump hosts.</summary>
    public RoutesApi Routes { get; } = new(http);

    /// <summary>What servers are asked to serve.</summary>
    public ConfigurationApi Configuration { get; } = new(http);

    /// <summary>Where hosts are not as they were asked to be.</summary>
    public DriftApi Drift { get; } = new(http);

    /// <summary>Executions of workflows.</summary>
    public RunsApi Runs { get; } = new(http);

    /// <summary>Changes of what the product stores.</summary>
    public ChangesApi Changes { get; } = new(http);

    /// <summary>Commands that may be run on hosts.</summary>
    public CommandsApi Commands { get; } = new(http);

    /// <summary>Heartbeats, hits and what was measured.</summary>
    public MonitoringApi Monitoring { get; } = new(http);

    /// <summary>What fires, what is watched, and who is told.</summary>
    public AlertsApi Alerts { get; } = new(http);

    /// <summary>What operators set for the whole product.</summary>
    public SettingsApi Settings { get; } = new(http);

    /// <summary>Accounts and tokens.</summary>
    public AccessApi Access { get; } = new(http);

    /// <summary>The product's root.</summary>
    public Uri Address => http.Address;

    /// <inheritdoc />
    public void Dispose() => http.Dispose();
}

/// <summary>Accounts and tokens.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class AccessApi(ProductHttp http)
{
    /// <summary>Who the credentials belong to.</summary>
    public Task<Answer<Identity>> Me(CancellationToken cancellationToken = default) =>
        http.Get("/api/v2/me", ClientJson.Default.Identity, cancellationToken);

    /// <summary>Makes a token for the account that asks.</summary>
    public Task<Answer<NewToken>> CreateToken(TokenRequest request, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Post, "/api/v2/tokens", JsonSerializer.Serialize(request, ClientJson.Default.TokenRequest), ClientJson.Default.NewToken, cancellationToken: cancellationToken);

    /// <summary>Tokens, the newest first.</summary>
    /// <param name="all">Everybody's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Answer<Page<TokenView>>> Tokens(bool all, CancellationToken cancellationToken = default) =>
        http.Get(new Query("/api/v2/tokens").With("all", all ? "true" : null).ToString(), ClientJson.Default.PageTokenView, cancellationToken);

    /// <summary>Ends a token.</summary>
    public static ChangeRequest<object> RevokeToken(Guid id) => new(HttpMethod.Delete, $"/api/v2/tokens/{id}", null, null);

    /// <summary>Ends the token that the request itself carries.</summary>
    public Task RevokeToken(CancellationToken cancellationToken = default) =>
        http.Send<object>(HttpMethod.Delete, "/api/v2/tokens/current", null, null, cancellationToken: cancellationToken);
}

/// <summary>Heartbeats, hits and what was measured.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class MonitoringApi(ProductHttp http)
{
    /// <summary>A server's newest beats.</summary>
    public Task<Answer<HeartbeatPage>> Heartbeats(string server, int? limit, CancellationToken cancellationToken = default) =>
        http.Get(new Query($"/api/v2/pvservers/{Query.Part(server)}/heartbeats").With("limit", limit).ToString(), ClientJson.Default.HeartbeatPage, cancellationToken);

    /// <summary>How often each name was asked for on a server; answers with a <see cref="HitPage"/>.</summary>
    public static Query Hits(string server, HitFilter filter) => Of(server, "hits")
        .With("from", filter.From).With("to", filter.To).With("zone", filter.Zone).With("name", filter.Name).With("type", filter.Type).With("sort", filter.Sort).With("limit", filter.Limit);

    /// <summary>Names that nobody has asked for; answers with an <see cref="UnaskedPage"/>.</summary>
    public static Query Unasked(string server, int? days, string? zone, int? limit) => Of(server, "hits/unasked").With("days", days).With("zone", zone).With("limit", limit);

    /// <summary>How full the subnets are; answers with a page of <see cref="SubnetFigures"/>.</summary>
    public static Query Subnets(string server) => Of(server, "dhcp/subnets");

    /// <summary>The leases of this moment; answers with a page of <see cref="DhcpLease"/>.</summary>
    public static Query Leases(string server, string? after, int? limit) => Of(server, "dhcp/leases").With("after", after).With("limit", limit);

    /// <summary>Asks a question.</summary>
    public Task<Answer<T>> Get<T>(Query query, JsonTypeInfo<T> type, CancellationToken cancellationToken = default) => http.Get(query.ToString(), type, cancellationToken);

    /// <summary>The answer to the same as lines of comma-separated values, under one that names them.</summary>
    public async Task<string> Csv(Query query, CancellationToken cancellationToken = default) =>
        (await http.Get<object>(query.With("format", "csv").ToString(), null, cancellationToken)).Json;

    private static Query Of(string server, string what) => new($"/api/v2/pvservers/{Query.Part(server)}/{what}");

    /// <summary>What was measured on a server; answers with <see cref="MetricValues"/>.</summary>
    public static Query Metrics(string server, MetricFilter filter)
    {
        var query = Of(server, "metrics");
        foreach (var metric in filter.Metrics)
        {
            query.With("metric", metric);
        }

        return query.With("from", filter.From).With("to", filter.To).With("points", filter.Points);
    }
}

/// <summary>A path with its query, escaped.</summary>
public sealed class Query(string path)
{
    private readonly List<string> pairs = [];

    /// <summary>A part of a path.</summary>
    public static string Part(string text) => Uri.EscapeDataString(text);

    /// <summary>With a value; without where it is null.</summary>
    public Query With(string name, string? value)
    {
        if (value is not null)
        {
            pairs.Add($"{name}={Uri.EscapeDataString(value)}");
        }

        return this;
    }

    /// <inheritdoc cref="With(string, string?)"/>
    public Query With(string name, int? value) => With(name, value?.ToString(CultureInfo.InvariantCulture));

    /// <inheritdoc cref="With(string, string?)"/>
    public Query With(string name, DateTimeOffset? value) =>
        With(name, value?.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture));

    /// <inheritdoc />
    public override string ToString() => pairs.Count == 0 ? path : $"{path}?{string.Join('&', pairs)}";
}
