using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ManagedServers.Workflows.Hosts;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Utilities;
using Org.BouncyCastle.Security;
using Renci.SshNet.Security;

namespace ManagedServers.Workflows.Credentials;

/// <summary>The public half of a key, as a line of <c>authorized_keys</c> has it.</summary>
/// <param name="Kind">For example <c>ssh-ed25519</c>.</param>
/// <param name="Blob">In base64.</param>
public sealed record PublicKey(string Kind, string Blob)
{
    /// <summary>As OpenSSH prints it.</summary>
    public string Fingerprint => "SHA256:" + Convert.ToBase64String(SHA256.HashData(Convert.FromBase64String(Blob))).TrimEnd('=');

    public override string ToString() => $"{Kind} {Fingerprint}";
}

/// <summary>Makes keys, and finds the public halves of those there are.</summary>
internal static class KeyPair
{
    private const int LineLength = 70;

    /// <summary>A new ed25519 key in OpenSSH's format, without a passphrase: it is kept encrypted, and nobody types it.</summary>
    public static PrivateKeyCredential New()
    {
        var generator = new Ed25519KeyPairGenerator();
        generator.Init(new Ed25519KeyGenerationParameters(new SecureRandom()));
        var body = Convert.ToBase64String(OpenSshPrivateKeyUtilities.EncodePrivateKey(generator.GenerateKeyPair().Private));
        return new PrivateKeyCredential($"-----BEGIN OPENSSH PRIVATE KEY-----\n{string.Join('\n', body.Chunk(LineLength).Select(line => new string(line)))}\n-----END OPENSSH PRIVATE KEY-----\n");
    }

    /// <exception cref="HostRejectedException">The key cannot be read.</exception>
    public static PublicKey PublicHalf(PrivateKeyCredential credential)
    {
        using var key = PrivateKeys.Read(credential);
        var blob = key.HostKeyAlgorithms.OfType<KeyHostAlgorithm>().First().Data;

        // The key's own kind stands at its beginning; the algorithm's name may be that of a signature (rsa-sha2-512).
        var kind = Encoding.ASCII.GetString(blob, 4, BinaryPrimitives.ReadInt32BigEndian(blob));
        return new PublicKey(kind, Convert.ToBase64String(blob));
    }
}
