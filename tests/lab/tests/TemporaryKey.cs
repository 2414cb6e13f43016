using System.Diagnostics;

namespace ManagedServers.Lab.Tests;

internal sealed class TemporaryKey : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lab-key-");

    public TemporaryKey()
    {
        Process.Start("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "it's a test", "-f", Path]).WaitForExit();
        PublicKey = File.ReadAllText(Path + ".pub").Trim();
    }

    public string Path => System.IO.Path.Combine(_folder.FullName, "key");

    public string PublicKey { get; }

    public void Dispose() => _folder.Delete(recursive: true);
}
