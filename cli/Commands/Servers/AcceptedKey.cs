using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Whether the key that a host shows is the right one: by an option, or by a question.</summary>
internal static class AcceptedKey
{
    private const string Shown = "shown";

    public static readonly Option<string?> Option = new("--accept-host-key")
    {
        Description = "Accept the host's key without a question if it has this fingerprint (SHA256:…); with `shown`, accept whatever the host shows.", HelpName = "FINGERPRINT|shown",
    };

    public static void Judge(Invocation call, string address, int port, HostKey shown)
    {
        var fingerprint = SafeText.Line(shown.Fingerprint);
        call.Screen.Note($"Host key of {SafeText.Line(address)}:{port} ({SafeText.Line(shown.Algorithm)}): {fingerprint}");
        switch (call.Get(Option))
        {
            case Shown:
                call.Screen.Note("Accepted as shown.");
                return;
            case { } expected when expected == shown.Fingerprint:
                call.Screen.Note("It is the expected one.");
                return;
            case { } expected:
                throw new UsageException(
                    $"The host shows another key than was expected; nothing was sent to it.\n  expected: {expected}\n  shown:    {fingerprint}",
                    "The host may have been installed anew, or somebody stands in between: compare on the host itself.");
            case null when !Terminal.CanAsk:
                throw new UsageException(
                    "Whether this is the host's key could not be asked: there is no terminal. Nothing was changed.",
                    $"Compare it on the host, then give --accept-host-key {fingerprint} (or --accept-host-key shown, where the network is trusted)");
            case null when !Terminal.Confirm("Is it the right one?"):
                throw new UsageException("Not accepted; nothing was changed.");
        }
    }
}
