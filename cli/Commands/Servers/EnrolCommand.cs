using System.CommandLine;
using System.Globalization;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>What to run on a host on which the product has no login.</summary>
internal static class EnrolCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<bool> Renew = new("--renew") { Description = "Make a new token; an unused one before it ends. The run goes on waiting." };
    private static readonly Option<string?> Valid = new("--valid") { Description = "How long the new token is good, 10m to 30d. 24h if not given.", HelpName = "TIME" };

    public static DocumentedCommand Build() => new DocumentedCommand("enrol", "Show the line to run on the host of a server that is installed by hand.")
    {
        Notes =
        [
            "The line holds no secret. It asks for the token on the host's terminal, or reads it from a file: --token-file FILE at its end. A host that has used its token needs none again.",
            "The token is shown once, on a terminal alone; --enrolment-token-file writes it into a file for you alone.",
        ],
        Examples = ["msctl servers enrol ns1", "msctl servers enrol ns1 --renew --valid 2h --enrolment-token-file ns1.token"],
    }.With(Name, Renew, Valid, ByHand.TokenFile, StartedRuns.Plan).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        if (!call.Get(Renew) && (call.Get(Valid) is not null || call.Get(ByHand.TokenFile) is not null || call.Get(StartedRuns.Plan)))
        {
            throw new UsageException("There is a new token only with --renew.", "Add --renew");
        }

        if (call.Get(Renew))
        {
            var request = ServersApi.RenewEnrolment(call.Get(Name), new EnrolmentRequest(call.Get(Valid) is { } time ? Minutes(time) : null));
            return await StoredChanges.Do(call, request, renewed => Tell(call, renewed), cancellationToken);
        }

        Tell(call, await call.Product.Servers.Enrolment(call.Get(Name), cancellationToken));
        return ExitCode.Done;
    }

    private static void Tell(Invocation call, Answer<HostEnrolment> answer)
    {
        ByHand.Keep(call, answer.Value);
        if (call.Json)
        {
            call.Screen.Json(answer.Json);
        }
        else
        {
            call.Screen.Line(SafeText.Line(answer.Value.Line));
            ByHand.TellToken(call, answer.Value, call.Get(Name));
        }
    }

    private static int Minutes(string text)
    {
        var factor = text.Length > 1 ? text[^1] switch { 'm' => 1, 'h' => 60, 'd' => 24 * 60, _ => 0 } : 0;
        return factor > 0 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= 100_000
            ? count * factor
            : throw new UsageException($"--valid {text} is not a time.", "For example 30m, 12h or 7d");
    }
}
