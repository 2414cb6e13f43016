using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Servers;

/// <summary>The product's address as hosts reach it: a scheme, a host and a port, nothing else.</summary>
public static class ApiAddresses
{
    public const string Rule = "must be an address like https://192.0.2.1:8443, without a path, a user or a question";

    // Uri forgives much (spaces, tabs, backslashes) that agents on hosts would read in another way.
    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:/[]");

    public static bool TryParse(string? text, [NotNullWhen(true)] out Uri? address)
    {
        var valid = text is { Length: <= 300 } && !text.AsSpan().ContainsAnyExcept(Allowed) && Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && uri is { Scheme: "https", PathAndQuery: "/", Port: > 0 } && HostAddress.TryParse(uri.Host, out _, out _);
        address = valid ? new Uri(text!) : null;
        return valid;
    }

    internal static Uri? Parse(string field, string? text, InputErrors errors)
    {
        if (string.IsNullOrWhiteSpace(text) || TryParse(text, out var address))
        {
            return string.IsNullOrWhiteSpace(text) ? null : new Uri(text);
        }

        errors.Add(field, Rule);
        return null;
    }
}
