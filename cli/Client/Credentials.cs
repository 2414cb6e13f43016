namespace ManagedServers.Cli.Client;

/// <summary>The credential that takes the place of a server's; a new key of the product's own when nothing is given. It carries a secret: it is sent, never printed.</summary>
/// <param name="Password">Password; or a private key.</param>
/// <param name="PrivateKey">Private key in PEM or OpenSSH format.</param>
/// <param name="Passphrase">Passphrase of the private key.</param>
/// <param name="Reason">Why, for the history.</param>
public sealed record RotateRequest(string? Password, string? PrivateKey, string? Passphrase, string? Reason);

/// <summary>A question about a host's new key.</summary>
/// <param name="Reason">Why it is asked, for the history.</param>
public sealed record HostKeyRequest(string? Reason);

/// <summary>The run that asks whether a host's new key is to be accepted.</summary>
/// <param name="RunId">Its identifier.</param>
/// <param name="Accepted">The key that was accepted until now.</param>
/// <param name="Shown">The key that the host shows.</param>
public sealed record AskedHostKey(Guid RunId, HostKey Accepted, HostKey Shown);
