using System.Net;

namespace ManagedServers.Api.Hosting;

/// <summary>What `managed-servers serve` was asked to do.</summary>
public sealed record ServeOptions
{
    /// <summary>Everything that the product keeps outside the database.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Where to listen, with TLS.</summary>
    public required IReadOnlyList<IPEndPoint> Listen { get; init; }

    /// <summary>The product's address as managed hosts reach it, when a server does not name another; where null, the one from which the product reaches the host.</summary>
    public Uri? ApiAddress { get; init; }

    /// <summary>Folder with the images that are put on hosts.</summary>
    public required string ImagesFolder { get; init; }

    /// <summary>PostgreSQL of the operator's own; a private one when null.</summary>
    public string? Database { get; init; }

    /// <summary>This process's name among the nodes on one database.</summary>
    public required string NodeName { get; init; }

    public string AdminPasswordFile => Path.Combine(DataFolder, "admin-password");

    public string AuthorityFile => Path.Combine(DataFolder, "ca.pem");

    public string MasterKeyFile => Path.Combine(DataFolder, "master.key");

    /// <summary>Holds the address while the product serves: what a script waits for.</summary>
    public string ReadyFile => Path.Combine(DataFolder, "ready");
}
