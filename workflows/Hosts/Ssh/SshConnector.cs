using System.Buffers.Binary;
using System.Net;
using System.Text;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace ManagedServers.Workflows.Hosts.Ssh;

/// <summary>Opens SSH connections: the host's key first, the credential only to the host that was accepted.</summary>
internal static class SshConnector
{
    // After the login SSH.NET uses its time-out for one thing that matters here: how long standard input may stall.
    private static readonly TimeSpan StalledInput = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    /// <param name="dial">Where the connection is made: the host itself, or where a tunnel to it begins.</param>
    /// <param name="where">The host, for messages.</param>
    public static async Task<HostKey> ReadHostKey(EndPoint dial, string where, TimeSpan timeout, CancellationToken cancellationToken)
    {
        HostKey? presented = null;
        var (address, port) = AddressOf(dial);
        var login = new ConnectionInfo(address, port, "nobody", new NoneAuthenticationMethod("nobody")) { Timeout = timeout };
        PreferHostKey(login, null);
        using var client = new SshClient(login);
        client.HostKeyReceived += (_, e) =>
        {
            presented = KeyOf(e.HostKey);
            e.CanTrust = false;
        };
        try
        {
            await Connect(client, cancellationToken);
        }
        catch (Exception) when (presented is not null)
        {
            // As wished: the connection ends before anybody logs in.
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            throw SshProblems.OfConnect(failure, where, null, timeout, await Accepts(dial, failure));
        }

        return presented ?? throw new HostUnavailableException(HostProblem.ConnectionLost, $"{where} ended the connection without showing a host key. See the log of sshd on the host.");
    }

    /// <param name="dial">Where the connection is made: the host itself, or where a tunnel to it begins.</param>
    public static async Task<SshClient> Open(HostTarget target, EndPoint dial, TimeSpan timeout, CancellationToken cancellationToken)
    {
        // Reads the key too: one that cannot be used is told before anything is sent.
        var (address, port) = AddressOf(dial);
        var login = new ConnectionInfo(address, port, target.User.Text, Methods(target)) { Timeout = timeout };
        PreferHostKey(login, target.PinnedKey);
        // The processor does it in one pass, authentication included; the library's first choice needs a second one.
        login.Encryptions.SetPosition("aes128-gcm@openssh.com", 0);
        var client = new SshClient(login) { KeepAliveInterval = TimeSpan.FromSeconds(15) };
        HostKey? presented = null;
        client.HostKeyReceived += (_, e) =>
        {
            presented = KeyOf(e.HostKey);
            e.CanTrust = presented.Fingerprint == target.PinnedKey?.Fingerprint;
        };
        try
        {
            await Connect(client, cancellationToken);
            login.Timeout = StalledInput;
            return client;
        }
        catch (Exception failure)
        {
            client.Dispose();
            throw failure is OperationCanceledException && cancellationToken.IsCancellationRequested ? failure
                : SshProblems.OfHostKey(target, presented) ?? SshProblems.OfConnect(failure, target.ToString(), target, timeout, await Accepts(dial, failure));
        }
    }

    /// <summary>After a time-out: whether nobody is there, or somebody who says nothing.</summary>
    private static async Task<bool> Accepts(EndPoint dial, Exception failure)
    {
        if (failure is not (SshOperationTimeoutException or TimeoutException))
        {
            return false;
        }

        using var patience = new CancellationTokenSource(Look);
        using var probe = new System.Net.Sockets.TcpClient();
        try
        {
            var (address, port) = AddressOf(dial);
            await probe.ConnectAsync(address, port, patience.Token);
            return true;
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or OperationCanceledException)
        {
            return false;
        }
    }

    private static (string, int) AddressOf(EndPoint dial) => dial switch
    {
        DnsEndPoint name => (name.Host, name.Port),
        IPEndPoint number => (number.Address.ToString(), number.Port),
        _ => throw new ArgumentException("Not an address with a port.", nameof(dial)),
    };

    private static async Task Connect(SshClient client, CancellationToken cancellationToken)
    {
        var connecting = BlockingThreads.Run(() => client.ConnectAsync(cancellationToken).GetAwaiter().GetResult());
        try
        {
            await connecting.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ = connecting.ContinueWith(t => t.Exception, TaskScheduler.Default);
            throw;
        }
    }

    // A host has keys of several kinds and shows the one that the client likes best. Ask for the kind that was pinned, or a
    // new version of our library with other likes would find every host key "changed".
    private static void PreferHostKey(ConnectionInfo login, HostKey? pinned)
    {
        var kinds = login.HostKeyAlgorithms;
        foreach (var certificate in kinds.Select(k => k.Key).Where(k => k.Contains("-cert-", StringComparison.Ordinal)).ToList())
        {
            kinds.Remove(certificate, out _);
        }

        var wanted = pinned?.Algorithm ?? "ssh-ed25519";
        string[] first = wanted == "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [wanted];
        foreach (var kind in first.Reverse().Where(k => ((IDictionary<string, Func<byte[], Renci.SshNet.Security.KeyHostAlgorithm>>)kinds).ContainsKey(k)))
        {
            kinds.SetPosition(kind, 0);
        }
    }

    private static HostKey KeyOf(byte[] blob)
    {
        // The key's own kind stands at its beginning; the negotiated name may be that of a signature (rsa-sha2-512).
        var length = BinaryPrimitives.ReadInt32BigEndian(blob);
        var kind = length is > 0 and <= 64 && blob.Length >= 4 + length ? Encoding.ASCII.GetString(blob, 4, length) : "unknown";
        return new HostKey(kind, "SHA256:" + Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(blob)).TrimEnd('='));
    }

    private static AuthenticationMethod[] Methods(HostTarget target)
    {
        var user = target.User.Text;
        return target.Credential switch
        {
            PrivateKeyCredential key => [new PrivateKeyAuthenticationMethod(user, PrivateKeys.Read(key))],
            PasswordCredential password => [new PasswordAuthenticationMethod(user, password.Password), Interactive(user, password.Password)],
            _ => throw new InvalidOperationException("Unknown kind of credential."),
        };
    }

    // Many hosts offer passwords through PAM's questions only. One question, hidden: that is the password; anything else is not for us.
    private static KeyboardInteractiveAuthenticationMethod Interactive(string user, string password)
    {
        var method = new KeyboardInteractiveAuthenticationMethod(user);
        method.AuthenticationPrompt += (_, e) =>
        {
            if (e.Prompts is [{ IsEchoed: false } only])
            {
                only.Response = password;
            }
        };
        return method;
    }
}
