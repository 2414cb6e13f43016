using System.Text.Json;
using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>An image that the product can put on a host.</summary>
/// <param name="Component">For example <c>dns</c>.</param>
/// <param name="Version">Of the software in it, for example <c>3.2.6</c>.</param>
/// <param name="Image">Tag; ends with the beginning of the digest, so it names these contents and no other.</param>
/// <param name="Digest">SHA-256 over the contents, in hex.</param>
/// <param name="Archive">File name of the docker-archive.</param>
/// <param name="Size">Bytes of the archive.</param>
public sealed record CatalogueImage(string Component, string Version, string Image, string Digest, string Archive, long Size)
{
    /// <summary>The image's name without its tag.</summary>
    public string Repository => Image[..Image.LastIndexOf(':')];
}

/// <summary>The images in the product's images folder: one manifest a component beside its archive.</summary>
public sealed class ImageCatalogue(string folder)
{
    /// <exception cref="InvalidInputException">There is no image for this component.</exception>
    public CatalogueImage Get(string component) =>
        Find(component) ?? throw new InvalidInputException("components", $"cannot have '{component}' on this product: it has no image for it ({Manifest(component)} is missing; './run images' makes it)");

    /// <summary>Null when there is no image for this component.</summary>
    public CatalogueImage? Find(string component) =>
        File.Exists(Manifest(component)) ? JsonSerializer.Deserialize<CatalogueImage>(File.ReadAllText(Manifest(component)), EngineJson.Options) : null;

    public Stream Open(CatalogueImage image) => File.OpenRead(Path.Combine(folder, Path.GetFileName(image.Archive)));

    private string Manifest(string component) => Path.Combine(folder, component + ".json");
}
