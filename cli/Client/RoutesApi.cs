using System.Text.Json;

namespace ManagedServers.Cli.Client;

/// <summary>Stored chains of jump hosts.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class RoutesApi(ProductHttp http)
{
    // These make the product log in on up to five hosts, one after the other.
    private static readonly TimeSpan Remote = TimeSpan.FromMinutes(3);
    private const string Root = "/api/v2/sshroutes";

    /// <summary>Stores a route, after the product has logged in on each of its hops.</summary>
    public static ChangeRequest<Route> Add(NewRoute route) =>
        new(HttpMethod.Post, Root, JsonSerializer.Serialize(route, ClientJson.Default.NewRoute), ClientJson.Default.Route) { Limit = Remote };

    /// <summary>Changes a route.</summary>
    public static ChangeRequest<Route> Edit(string route, RouteChange change) =>
        new(HttpMethod.Patch, $"{Root}/{Query.Part(route)}", JsonSerializer.Serialize(change, ClientJson.Default.RouteChange), ClientJson.Default.Route) { Limit = Remote };

    /// <summary>A page of routes.</summary>
    public Task<Answer<Page<Route>>> List(string? after, CancellationToken cancellationToken = default) =>
        http.Get(new Query(Root).With("after", after).ToString(), ClientJson.Default.PageRoute, cancellationToken);

    /// <summary>One route, by name or identifier.</summary>
    public Task<Answer<Route>> Get(string route, CancellationToken cancellationToken = default) =>
        http.Get($"{Root}/{Query.Part(route)}", ClientJson.Default.Route, cancellationToken);

    /// <summary>Forgets a route that no server uses.</summary>
    public static ChangeRequest<object> Remove(string route) => new(HttpMethod.Delete, $"{Root}/{Query.Part(route)}", null, null);

    /// <summary>Logs in on every hop. Changes nothing.</summary>
    public Task<Answer<RouteTest>> Test(string route, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Post, $"{Root}/{Query.Part(route)}/test", null, ClientJson.Default.RouteTest, limit: Remote, cancellationToken: cancellationToken);
}
