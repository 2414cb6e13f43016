using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.Credentials;

/// <summary>What the new credential is: a new key of the product's own where nothing is given.</summary>
public sealed record RotateRequest
{
    public string? Password { get; init; }
    public string? PrivateKey { get; init; }
    public string? Passphrase { get; init; }

    /// <summary>Why, for the server's history.</summary>
    public string? Reason { get; init; }

    // Printed nowhere: a record prints all its members otherwise, and three of them are secrets.
    public override string ToString() => nameof(RotateRequest);
}

/// <summary>Prepares runs that put a new credential in the place of a server's.</summary>
public sealed class CredentialRotation(Servers.Servers servers, HostCredentials credentials, PendingCredentials pending, SecretRedactor redactor, PreparedRuns runs)
{
    private const int LongestReason = 500;

    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="HostRejectedException">The private key cannot be read.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    public async Task<PreparedRun> Prepare(string idOrName, RotateRequest request, string who, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        var errors = new InputErrors();
        if (request.Reason?.Length > LongestReason)
        {
            errors.Add("reason", $"must have at most {LongestReason} characters");
        }

        var generate = string.IsNullOrEmpty(request.Password) && string.IsNullOrEmpty(request.PrivateKey) && string.IsNullOrEmpty(request.Passphrase);
        var given = generate ? null : credentials.Check(request.Password, request.PrivateKey, request.Passphrase, errors);
        errors.ThrowIfAny();
        var what = given is null ? RotateInput.NewKey : PendingCredential.Words(given);
        var why = string.IsNullOrWhiteSpace(request.Reason) ? null : redactor.Redact(request.Reason.Trim());
        var input = new RotateInput(server.Id, server.Name, Guid.CreateVersion7(), given is PasswordCredential, what, who, why);
        return runs.Prepare<RotateCredentialWorkflow, RotateInput>(
            server, input, new Concern([]) { IsLast = false, Also = (transaction, _, _) => pending.Keep(transaction, input.PendingId, server.Id, given ?? KeyPair.New(), who) });
    }
}
