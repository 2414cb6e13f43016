using System.Diagnostics;

namespace ManagedServers.Lab.Tests;

/// <summary>A process to own lab hosts, that a test can end; what it owned then is removed with it.</summary>
internal sealed class OwnedProcess : IDisposable
{
    private readonly Process _process = Process.Start("sleep", "600");

    public OwnedProcess() => Owner = LabOwner.Of(_process.Id);

    public LabOwner Owner { get; }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
    }
}
