namespace ManagedServers.Workflows.Hosts;

/// <summary>Everything needed to connect to a host. Never prints its secrets.</summary>
public sealed record HostTarget
{
    /// <summary>What operators call it; stands in every message.</summary>
    public required string DisplayName { get; init; }

    public required HostAddress Address { get; init; }

    public SshPort Port { get; init; } = SshPort.Default;

    public required SshUser User { get; init; }

    public required HostCredential Credential { get; init; }

    /// <summary>The host key that an operator accepted; null refuses with <c>host-key-unknown</c> and the fingerprint.</summary>
    public required HostKey? PinnedKey { get; init; }

    /// <summary>The command by which an operator accepts another key of it; null where none is needed, because nothing of it is kept yet.</summary>
    public string? AcceptKeyBy { get; init; }

    /// <summary>Never asked for the connection itself, only for what is done over it.</summary>
    public HostLogin Login { get; init; } = HostLogin.Root;

    /// <summary>The host through which this one is reached, itself perhaps through another; null where the product reaches it directly.</summary>
    public HostTarget? Via { get; init; }

    /// <summary>For messages: <c>ns1 (192.0.2.10:22)</c>.</summary>
    public override string ToString() => $"{DisplayName} ({Address.InUrl}:{Port})";
}

/// <summary>How the product proves who it is.</summary>
public abstract record HostCredential
{
    private protected HostCredential() { }
}

public sealed record PasswordCredential(string Password) : HostCredential
{
    public override string ToString() => "password";
}

/// <param name="Pem">OpenSSH, PKCS#1, PKCS#8 or PuTTY format.</param>
/// <param name="Passphrase">Null or empty when the key is not encrypted.</param>
public sealed record PrivateKeyCredential(string Pem, string? Passphrase = null) : HostCredential
{
    public override string ToString() => "private key";
}

/// <param name="Algorithm">For example <c>ssh-ed25519</c>.</param>
/// <param name="Fingerprint"><c>SHA256:…</c> as OpenSSH prints it.</param>
public sealed record HostKey(string Algorithm, string Fingerprint)
{
    public override string ToString() => $"{Algorithm} {Fingerprint}";
}
