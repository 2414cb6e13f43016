using System.Text;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace ManagedServers.Workflows.Hosts;

/// <summary>Reads private keys, and says what is wrong with one before it is stored or used.</summary>
public static class PrivateKeys
{
    private const int Longest = 64 * 1024;

    /// <summary>Throws <c>credential-unusable</c>, naming the field <c>privateKey</c> or <c>passphrase</c>, when the key cannot be used.</summary>
    public static void Check(PrivateKeyCredential credential) => Read(credential).Dispose();

    internal static PrivateKeyFile Read(PrivateKeyCredential credential)
    {
        var pem = credential.Pem.Trim();
        if (pem.Length is 0 or > Longest)
        {
            throw Unusable("privateKey", $"The private key must have 1 to {Longest} characters.");
        }

        if (pem.StartsWith("ssh-", StringComparison.Ordinal) || pem.StartsWith("ecdsa-", StringComparison.Ordinal) || pem.Contains("BEGIN PUBLIC KEY", StringComparison.Ordinal))
        {
            throw Unusable("privateKey", "This is the public half of a key. Give the private one: the file without .pub, beginning with -----BEGIN.");
        }

        var passphrase = string.IsNullOrEmpty(credential.Passphrase) ? null : credential.Passphrase;
        try
        {
            // OpenSSH wants a line end after the last line; what was pasted often has none, or those of Windows.
            using var stream = new MemoryStream(Encoding.UTF8.GetBytes(pem.Replace("\r\n", "\n", StringComparison.Ordinal) + "\n"));
            return new PrivateKeyFile(stream, passphrase);
        }
        catch (SshPassPhraseNullOrEmptyException)
        {
            throw Unusable("passphrase", "The private key is encrypted: give its passphrase.");
        }
        // Whatever the many parsers throw, the reason is the key or the passphrase, and their messages may quote the input.
        catch (Exception) when (passphrase is not null && IsEncrypted(pem))
        {
            throw Unusable("passphrase", "The passphrase does not open the private key.");
        }
        catch (Exception)
        {
            throw Unusable("privateKey", "This is not a private key that can be read. Wanted is a file in OpenSSH, PEM (PKCS#1, PKCS#8) or PuTTY format, from its first line -----BEGIN to its last line -----END.");
        }
    }

    private static bool IsEncrypted(string pem)
    {
        if (pem.Contains("ENCRYPTED", StringComparison.Ordinal) || (pem.Contains("Encryption:", StringComparison.Ordinal) && !pem.Contains("Encryption: none", StringComparison.Ordinal)))
        {
            return true;
        }

        // OpenSSH's own format says it inside: after "openssh-key-v1\0" comes the cipher's name, "none" if there is none.
        var body = string.Concat(pem.Split('\n').Where(l => !l.StartsWith('-')).Select(l => l.Trim()));
        var head = new byte[48];
        return body.Length >= 64 && Convert.TryFromBase64String(body[..64], head, out var read)
            && Encoding.ASCII.GetString(head, 0, read) is var text && text.StartsWith("openssh-key-v1", StringComparison.Ordinal) && !text.Contains("none", StringComparison.Ordinal);
    }

    private static HostRejectedException Unusable(string field, string message) => new(HostProblem.CredentialUnusable, message) { Field = field };
}
