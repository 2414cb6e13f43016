using System.Text.Json;

namespace ManagedServers.Lab;

/// <summary>The images that `./run images` built, found from the folder of this assembly upwards.</summary>
public static class LabImages
{
    public static string Repository { get; } = FindRepository();

    public static string Folder { get; } = Path.Combine(Repository, "artifacts", "images");

    public static string LabHost => Name("lab-host");

    public static string Postgres => Name("test-postgres");

    public static string Name(string manifest)
    {
        var path = Path.Combine(Folder, manifest + ".json");
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path} is not there: build the images with `./run images`.", path);

        using var json = JsonDocument.Parse(File.ReadAllText(path));
        return json.RootElement.GetProperty("image").GetString()!;
    }

    private static string FindRepository()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "ManagedServers.sln")))
                return folder;
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} has ManagedServers.sln.");
    }
}
