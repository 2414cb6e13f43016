namespace ManagedServers.Workflows.Hosts.Docker;

/// <summary>Names of images and containers become part of the path of a request: they must not reach another one.</summary>
internal static class DockerReference
{
    public static string Check(string reference) =>
        reference.Length is > 0 and <= 300 && char.IsAsciiLetterOrDigit(reference[0]) && !reference.Contains("..", StringComparison.Ordinal)
            && reference.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' or '/' or ':' or '@')
            ? reference
            : throw new ArgumentException("The name of an image or a container has letters, digits and _ . - / : @ only and begins with a letter or digit.", nameof(reference));
}
