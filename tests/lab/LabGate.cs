using System.Net.Sockets;

namespace ManagedServers.Lab;

/// <summary>
/// Held while an owner's network gains a host or loses one, so that no two make the same network or take the same address; also by several processes for one owner. It is a name in
/// the kernel, which lets go of it when whoever holds it ends.
/// </summary>
internal sealed class LabGate : IDisposable
{
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(20);
    private readonly Socket _name;

    private LabGate(Socket name) => _name = name;

    public static async Task<LabGate> Enter(LabOwner owner, CancellationToken cancellationToken)
    {
        while (true)
        {
            var name = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                name.Bind(new UnixDomainSocketEndPoint($"\0managed-servers-lab/{owner}"));
                return new LabGate(name);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                name.Dispose();
                await Task.Delay(Again, cancellationToken);
            }
        }
    }

    public void Dispose() => _name.Dispose();
}
