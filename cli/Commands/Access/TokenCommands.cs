using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Access;

/// <summary>The tokens with which msctl and programs sign in.</summary>
internal static class TokenCommands
{
    private static readonly Option<bool> All = new("--all") { Description = "Everybody's; for administrators." };
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };
    private static readonly Argument<Guid> Id = new("ID") { Description = "Id of the token, as msctl tokens list shows it" };

    public static DocumentedCommand List()
    {
        var command = new DocumentedCommand("list", "List your tokens, the newest first.")
        {
            Notes = ["What a token says is known to whoever has it alone, and shown nowhere. Those of servers come and go with them."], Examples = ["msctl tokens list", "msctl tokens list --all -o json"],
        };
        command.Aliases.Add("ls");
        return command.With(All).Does(async (call, cancellationToken) =>
        {
            var tokens = await call.Product.Access.Tokens(call.Get(All), cancellationToken);
            if (call.Json)
            {
                call.Screen.Json(tokens.Json);
                return ExitCode.Done;
            }

            var table = new TextTable(("ID", Fit.Whole), ("NAME", Fit.MayShrink), ("ACCOUNT", Fit.Whole), ("MADE", Fit.Whole), ("EXPIRES", Fit.Whole));
            foreach (var token in tokens.Value.Items)
            {
                table.Row(token.Id.ToString(), token.Current ? new Cell($"{token.Name} (this one)", Tone.Strong) : token.Name, token.Account, Words.Time(token.CreatedAt), token.ExpiresAt is null ? new Cell("never", Tone.Warning) : Words.Time(token.ExpiresAt));
            }

            table.Write(call.Screen, "No tokens.");
            return ExitCode.Done;
        });
    }

    public static DocumentedCommand Revoke() => new DocumentedCommand("revoke", "End a token of yours; administrators end anybody's.")
    {
        Notes = ["Asks first where it is the token that this msctl is signed in with: msctl logout ends that too, and forgets it here."],
        Examples = ["msctl tokens revoke 0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b", "msctl tokens revoke 0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b --plan"],
    }.With(Id, Yes, StartedRuns.Plan).Does(async (call, cancellationToken) =>
    {
        var own = !call.Get(StartedRuns.Plan) && (await call.Product.Access.Tokens(all: false, cancellationToken)).Value.Items.Any(t => t.Current && t.Id == call.Get(Id));
        if (own && !call.Get(Yes))
        {
            Sure.Ask("end this sign-in", "This is the token that this msctl is signed in with: the sign-in ends with it. Revoke it?", "Not revoked.");
        }

        return await StoredChanges.Do(call, AccessApi.RevokeToken(call.Get(Id)), _ =>
        {
            if (call.Json)
            {
                call.Screen.Json("""{"revoked":true}""");
            }
            else
            {
                call.Screen.Note(own ? "Revoked; this sign-in has ended. To sign in again: msctl login" : "Revoked.");
            }
        }, cancellationToken);
    });
}
