using System.Text.Json;

namespace ManagedServers.Cli.Client;

/// <summary>Managed hosts.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class ServersApi(ProductHttp http)
{
    // These make the product talk to the host over SSH, which may be slow or behind a silent firewall.
    private static readonly TimeSpan Remote = TimeSpan.FromMinutes(2);
    private const string Root = "/api/v2/pvservers";

    /// <summary>Asks a host for its key, before anything is sent to it.</summary>
    public Task<Answer<HostKey>> Probe(ProbeRequest request, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Post, $"{Root}/probe", JsonSerializer.Serialize(request, ClientJson.Default.ProbeRequest), ClientJson.Default.HostKey, limit: Remote, cancellationToken: cancellationToken);

    /// <summary>Adds a host.</summary>
    public static ChangeRequest<Server> Add(NewServer server) =>
        new(HttpMethod.Post, Root, JsonSerializer.Serialize(server, ClientJson.Default.NewServer), ClientJson.Default.Server) { Limit = Remote };

    /// <summary>Changes what is known of a host.</summary>
    public static ChangeRequest<Server> Edit(string server, ServerChange change) =>
        new(HttpMethod.Patch, $"{Root}/{Query.Part(server)}", JsonSerializer.Serialize(change, ClientJson.Default.ServerChange), ClientJson.Default.Server) { Limit = Remote };

    /// <summary>A page of hosts.</summary>
    public Task<Answer<Page<Server>>> List(string? filter, int? limit, string? after, CancellationToken cancellationToken = default) =>
        http.Get(new Query(Root).With("filter", filter).With("limit", limit).With("after", after).ToString(), ClientJson.Default.PageServer, cancellationToken);

    /// <summary>One host, by name or identifier.</summary>
    public Task<Answer<Server>> Get(string server, CancellationToken cancellationToken = default) =>
        http.Get($"{Root}/{Query.Part(server)}", ClientJson.Default.Server, cancellationToken);

    /// <summary>Forgets a host. What is installed on it stays.</summary>
    public static ChangeRequest<object> Remove(string server, bool force) =>
        new(HttpMethod.Delete, new Query($"{Root}/{Query.Part(server)}").With("force", force ? "true" : null).ToString(), null, null);

    /// <summary>Logs in on the host and looks whether it has what is needed. Changes nothing.</summary>
    public Task<Answer<TestResult>> Test(string server, ComponentsRequest request, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Post, $"{Root}/{Query.Part(server)}/test", JsonSerializer.Serialize(request, ClientJson.Default.ComponentsRequest), ClientJson.Default.TestResult, limit: Remote, cancellationToken: cancellationToken);

    /// <summary>Installs components.</summary>
    public static RunRequest Install(string server, InstallRequest request) => new($"{Root}/{Query.Part(server)}/install", JsonSerializer.Serialize(request, ClientJson.Default.InstallRequest));

    /// <summary>Starts, stops or restarts components.</summary>
    /// <param name="server">Name or identifier.</param>
    /// <param name="verb"><c>start</c>, <c>stop</c> or <c>restart</c>.</param>
    /// <param name="request">Which components, with which commands around it.</param>
    public static RunRequest Control(string server, string verb, ControlRequest request) => new($"{Root}/{Query.Part(server)}/{verb}", JsonSerializer.Serialize(request, ClientJson.Default.ControlRequest));

    /// <summary>Runs commands, for their own sake.</summary>
    public static RunRequest RunCommands(string server, RunCommandsRequest request) => new($"{Root}/{Query.Part(server)}/run-commands", JsonSerializer.Serialize(request, ClientJson.Default.RunCommandsRequest));

    /// <summary>The line to run on a host on which the product has no login.</summary>
    public Task<Answer<HostEnrolment>> Enrolment(string server, CancellationToken cancellationToken = default) =>
        http.Get($"{Root}/{Query.Part(server)}/enrolment", ClientJson.Default.HostEnrolment, cancellationToken);

    /// <summary>The same with a new token; an unused one before it ends.</summary>
    public static ChangeRequest<HostEnrolment> RenewEnrolment(string server, EnrolmentRequest request) =>
        new(HttpMethod.Post, $"{Root}/{Query.Part(server)}/enrolment", JsonSerializer.Serialize(request, ClientJson.Default.EnrolmentRequest), ClientJson.Default.HostEnrolment);

    /// <summary>Puts a new credential in the place of the stored one; the product makes a key when the request is empty.</summary>
    public static RunRequest RotateCredential(string server, RotateRequest request) => new($"{Root}/{Query.Part(server)}/rotate-credential", JsonSerializer.Serialize(request, ClientJson.Default.RotateRequest));

    /// <summary>Reads the key that a host shows, and starts a run that asks whether it is to be accepted.</summary>
    /// <param name="server">Name or identifier.</param>
    /// <param name="request">Why.</param>
    /// <param name="idempotencyKey">The same key gives the same run, so a lost answer is asked for again.</param>
    public static ChangeRequest<AskedHostKey> AskHostKey(string server, HostKeyRequest request, string idempotencyKey) =>
        new(HttpMethod.Post, $"{Root}/{Query.Part(server)}/host-key", JsonSerializer.Serialize(request, ClientJson.Default.HostKeyRequest), ClientJson.Default.AskedHostKey)
        {
            Limit = Remote, IdempotencyKey = idempotencyKey,
        };

    /// <summary>Takes from the host everything that installs have put there.</summary>
    public static RunRequest Uninstall(string server, CommandsRequest request) => new($"{Root}/{Query.Part(server)}/uninstall", JsonSerializer.Serialize(request, ClientJson.Default.CommandsRequest));
}
