using System.Text.Json;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Servers;

/// <summary>A credential as it is encrypted.</summary>
internal sealed record StoredCredential(string? Password, string? PrivateKey, string? Passphrase)
{
    public static StoredCredential Of(HostCredential credential) => credential switch
    {
        PasswordCredential p => new(p.Password, null, null),
        PrivateKeyCredential k => new(null, k.Pem, k.Passphrase),
        _ => throw new ArgumentOutOfRangeException(nameof(credential)),
    };

    public static StoredCredential FromJson(string json) => JsonSerializer.Deserialize<StoredCredential>(json)!;

    public string ToJson() => JsonSerializer.Serialize(this);

    public HostCredential ToCredential() => PrivateKey is null ? new PasswordCredential(Password!) : new PrivateKeyCredential(PrivateKey, Passphrase);

    public override string ToString() => nameof(StoredCredential);
}
