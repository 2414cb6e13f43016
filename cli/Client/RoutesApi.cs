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
    public Task<Answer<Route>> Add(NewRoute route, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Post, Root, JsonSerializer.Serialize(route, ClientJson.Default.NewRoute), ClientJson.Default.Route, limit: Remote, cancellationToken: cancellationToken);

    /// <summary>Changes a route.</summary>
    public Task<Answer<Route>> Edit(string route, RouteChange change, CancellationToken cancellationToken = default) =>
        http.Send(
            HttpMethod.Patch, $"{Root}/{Query.Part(route)}", JsonSerializer.Serialize(change, ClientJson.Default.RouteChange), ClientJson.Default.Route, limit: Remote,
            cancellationToken: cancellationToken);

    /// <summary>A page of routes.</summary>
    public Task<Answer<Page<Route>>> List(string? after, CancellationToken cancellationToken = default) =>
        http.Get(new Query(Root).With("after", after).ToString(), ClientJson.Default.PageRoute, cancellationToken);

    /// <summary>One route, by name or identifier.</summary>
    public Task<Answer<Route>> Get(string route, CancellationToken cancellationToken = default) =>
        http.Get($"{Root}/{Query.Part(route)}", ClientJson.Default.Route, cancellationToken);

    /// <summary>Forgets a route that no server uses.</summary>
    public Task Remove(string route, CancellationToken cancellationToken = default) =>
        http.Send<object>(HttpMethod.Delete, $"{Root}/{Query.Part(route)}", null, null, cancellationToken: cancellationToken);

    /// <summary>Logs in on every hop. Changes nothing.</summary>
    public Task<Answer<RouteTest>> Test(string route, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Post, $"{Root}/{Query.Part(route)}/test", null, ClientJson.Default.RouteTest, limit: Remote, cancellationToken: cancellationToken);
}
