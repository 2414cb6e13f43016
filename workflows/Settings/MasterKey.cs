using System.Security.Cryptography;
using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Settings;

/// <summary>The key outside the database that wraps the key ring inside it: a stolen database alone opens no secret.</summary>
public sealed class MasterKey
{
    private readonly byte[] key;

    private MasterKey(byte[] key) => this.key = key;

    /// <summary>Reads the key file, or makes it when neither file nor database know one.</summary>
    /// <exception cref="InvalidOperationException">The database was sealed with a key that is not in the file.</exception>
    public static async Task<MasterKey> Open(string file, NpgsqlDataSource database, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var expected = await connection.QuerySingleOrDefaultAsync<string>("select fingerprint from settings.master_key");
        if (!File.Exists(file))
        {
            if (expected is not null)
            {
                throw new InvalidOperationException(
                    $"The master key file {file} is missing, and this database was sealed with one. Without it no stored password can be read. "
                    + "Copy the file from the node where the product was first started (or from its backup), mode 0600, then start again.");
            }

            Create(file, RandomNumberGenerator.GetBytes(32));
        }

        var key = new MasterKey(Convert.FromBase64String((await File.ReadAllTextAsync(file, cancellationToken)).Trim()));
        await connection.ExecuteAsync("insert into settings.master_key (fingerprint) values (@Fingerprint) on conflict do nothing", new { key.Fingerprint });
        expected = await connection.QuerySingleAsync<string>("select fingerprint from settings.master_key");
        return key.Fingerprint == expected
            ? key
            : throw new InvalidOperationException(
                $"The master key in {file} is not the one with which this database was sealed. Put the right file there, or point the product at the database that belongs to this key.");
    }

    private string Fingerprint => Convert.ToHexStringLower(SHA256.HashData([.. "managed-servers master key"u8, .. key]));

    internal string Seal(string plain)
    {
        var nonce = RandomNumberGenerator.GetBytes(AesGcm.NonceByteSizes.MaxSize);
        var text = System.Text.Encoding.UTF8.GetBytes(plain);
        var cipher = new byte[text.Length];
        var tag = new byte[AesGcm.TagByteSizes.MaxSize];
        using var aes = new AesGcm(key, tag.Length);
        aes.Encrypt(nonce, text, cipher, tag);
        return Convert.ToBase64String([.. nonce, .. tag, .. cipher]);
    }

    internal string Open(string sealedText)
    {
        var bytes = Convert.FromBase64String(sealedText);
        var (nonce, tag) = (AesGcm.NonceByteSizes.MaxSize, AesGcm.TagByteSizes.MaxSize);
        var text = new byte[bytes.Length - nonce - tag];
        using var aes = new AesGcm(key, tag);
        aes.Decrypt(bytes.AsSpan(0, nonce), bytes.AsSpan(nonce + tag), bytes.AsSpan(nonce, tag), text);
        return System.Text.Encoding.UTF8.GetString(text);
    }

    private static void Create(string file, byte[] key)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using var stream = new FileStream(file, options);
        stream.Write(System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(key) + "\n"));
        stream.Flush(flushToDisk: true);
    }
}
