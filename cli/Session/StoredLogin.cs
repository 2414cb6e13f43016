using System.Text.Json;
using System.Text.Json.Serialization;

namespace ManagedServers.Cli.Session;

/// <summary>What `msctl login` keeps for the commands after it.</summary>
internal sealed record StoredLogin
{
    public required string Url { get; init; }

    /// <summary>The authority that was accepted, PEM.</summary>
    public required string Ca { get; init; }

    public string? User { get; init; }

    public string? Token { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>The file that it is kept in: readable by its owner alone, replaced as a whole.</summary>
internal sealed class LoginFile(string path)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Path { get; } = path;

    public static LoginFile Default()
    {
        var home = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } xdg && System.IO.Path.IsPathRooted(xdg)
            ? xdg
            : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config");
        return new LoginFile(System.IO.Path.Combine(home, "msctl", "config.json"));
    }

    /// <summary>Null when nobody signed in here.</summary>
    public StoredLogin? Read()
    {
        try
        {
            return File.Exists(Path) ? JsonSerializer.Deserialize(File.ReadAllText(Path), LoginJson.Default.StoredLogin) : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{Path} cannot be read: {e.Message}", "Remove the file and sign in again: msctl login");
        }
    }

    public void Write(StoredLogin login)
    {
        var folder = System.IO.Path.GetDirectoryName(Path)!;
        Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        File.SetUnixFileMode(folder, OwnerOnly | UnixFileMode.UserExecute);
        var aside = $"{Path}.{Environment.ProcessId}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
        File.Delete(aside);
        using (var file = new FileStream(aside, options))
        {
            JsonSerializer.Serialize(file, login, LoginJson.Default.StoredLogin);
            file.WriteByte((byte)'\n');
            file.Flush(flushToDisk: true);
        }

        File.Move(aside, Path, overwrite: true);
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredLogin))]
internal sealed partial class LoginJson : JsonSerializerContext;
