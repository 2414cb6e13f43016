namespace ManagedServers.Workflows.Hosts.OnHost;

/// <summary>Paths on a host come from the product's own code: a wrong one is a mistake there, not an operator's.</summary>
internal static class RemotePath
{
    public static string Check(string path) =>
        path.StartsWith('/') && !path.EndsWith('/') && !path.Any(char.IsControl) && path.Split('/')[1..].All(part => part is not ("" or "." or ".."))
            ? path
            : throw new ArgumentException("A path on a host must be absolute, without '.', '..', empty parts, control characters and a final slash.", nameof(path));
}
