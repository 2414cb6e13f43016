using System.Globalization;
using System.Net;
using System.Text.Json;
using ManagedServers.Cli.Client;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Reads what `install` is given. What it means is for the product to judge; here only the form is.</summary>
internal static class InstallInput
{
    // The product takes no larger body; told here, the operator knows which file.
    private const long LargestZoneFile = 16 * 1024 * 1024;

    public static IReadOnlyList<string> Components(string list) =>
        [.. list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];

    public static JsonElement Dhcp(string path)
    {
        try
        {
            // Kea allows comments, and its users write them.
            using var document = JsonDocument.Parse(Read(path, "Kea's document"), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new UsageException($"{path} is not a JSON document: {e.Message}", """It looks like: {"Dhcp4":{"subnet4":[{"subnet":"192.0.2.0/24","pools":[{"pool":"192.0.2.100-192.0.2.200"}]}]}}""");
        }
    }

    public static Listen Listen(string text)
    {
        if (IPEndPoint.TryParse(text, out var end) && end.Port != 0)
        {
            return new Listen(end.Address.ToString(), end.Port);
        }

        throw new UsageException($"--listen {text}: an address and a port were expected.", "For example 192.0.2.10:53 or [2001:db8::10]:53");
    }

    public static OperatorCommand Command(string text)
    {
        if (!text.Contains('=', StringComparison.Ordinal))
        {
            return new OperatorCommand { Name = text };
        }

        var (name, command) = Pair(text, "--pre-command and --post-command", "'NAME=TEXT'");
        return new OperatorCommand { Name = name, Command = command };
    }

    public static IReadOnlyList<OperatorCommand> Commands(string? path)
    {
        if (path is null)
        {
            return [];
        }

        try
        {
            return JsonSerializer.Deserialize(Read(path, "The file of commands"), ClientJson.Default.ListOperatorCommand) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            throw new UsageException($"{path} is not a list of commands: {e.Message}", """It looks like: [{"name":"…","command":"…","timeoutSeconds":300,"repeatable":false}]""");
        }
    }

    internal static (string Name, string Value) Pair(string text, string option, string form)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        return at > 0 && at < text.Length - 1
            ? (text[..at].Trim(), text[(at + 1)..])
            : throw new UsageException($"{option}: '{text}' is not {form}.");
    }

    internal static string Read(string path, string what)
    {
        try
        {
            if (Directory.Exists(path))
            {
                throw new UsageException($"{what}, {path}, is a folder.");
            }

            var size = new FileInfo(path).Length;
            return size <= LargestZoneFile
                ? File.ReadAllText(path)
                : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{what}, {path}, is too large: {size} bytes."));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"{what} cannot be read: {e.Message}");
        }
    }
}
