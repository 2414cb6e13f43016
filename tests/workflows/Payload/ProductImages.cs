using System.Text.Json;

namespace ManagedServers.Workflows.Tests.Payload;

/// <summary>Loads the images of the components into this machine's Docker engine, as the product does on a host.</summary>
public sealed class ProductImages : IAsyncLifetime
{
    public async Task InitializeAsync()
    {
        foreach (var component in new[] { "dns", "dhcp", "monitor" })
        {
            var image = Repository.Image(component);
            if ((await Command.Try("docker", "image", "inspect", image)).ExitCode != 0)
            {
                using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Repository.Path("artifacts", "images", component + ".json")));
                await Command.Run("docker", "load", "--input", Repository.Path("artifacts", "images", manifest.RootElement.GetProperty("archive").GetString()!));
            }
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;
}
