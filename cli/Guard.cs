using System.CommandLine;
using System.Text.Json.Nodes;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli;

/// <summary>Runs a command's body and turns every end into an exit code and, where it failed, into words.</summary>
internal static class Guard
{
    public static async Task<int> Run(ParseResult parse, Func<Invocation, CancellationToken, Task<int>> body, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parse);
        try
        {
            return await body(invocation, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            invocation.Screen.Note("Interrupted.");
            return ExitCode.Interrupted;
        }
        catch (UsageException e)
        {
            Tell(invocation, e.Message, [], null, e.Advice);
            return ExitCode.Usage;
        }
        catch (NotSignedInException e)
        {
            Tell(invocation, e.Message, [], null, e.Advice);
            return ExitCode.NotAllowed;
        }
        catch (RefusedException e)
        {
            Tell(invocation, Headline(e), Fields(e.Problem, Headline(e)), e.Tried, Advice.For(e), e.Problem.Type);
            return e.NotAllowed ? ExitCode.NotAllowed : ExitCode.Refused;
        }
        catch (UnreachableException e)
        {
            Tell(invocation, $"The product cannot be reached: {e.Message}.", [], e.Tried, Advice.For(e));
            return ExitCode.Unreachable;
        }
        catch (ProductException e)
        {
            Tell(invocation, $"The product's answer is not understood: {e.Message}.", [], e.Tried, "Look whether the address is the product's, and whether msctl is of the product's version: msctl version");
            return ExitCode.Refused;
        }
    }

    private static string Headline(RefusedException e)
    {
        var (title, detail) = (e.Problem.Title, e.Problem.Detail);
        return title is { Length: > 0 } && detail is { Length: > 0 } && title != detail
            ? $"{title.TrimEnd('.')}: {detail}"
            : detail ?? title ?? $"The product refused with status {e.Status}.";
    }

    private static IEnumerable<string> Fields(Problem problem, string headline)
    {
        foreach (var (field, messages) in problem.Errors ?? new Dictionary<string, IReadOnlyList<string>>())
        {
            foreach (var message in messages)
            {
                // What the headline says in full already is not said twice; the field is named in any case.
                var whole = field.Length == 0 ? message : $"{field}: {message}";
                if (!headline.Contains(whole.TrimEnd('.'), StringComparison.Ordinal))
                {
                    yield return field.Length > 0 && headline.Contains(message.TrimEnd('.'), StringComparison.Ordinal) ? $"field: {field}" : whole;
                }
            }
        }

        if (problem.Expected is { } expected)
        {
            yield return $"accepted before: {expected}";
        }

        if (problem.Fingerprint is { } fingerprint)
        {
            yield return $"shown by the host: {fingerprint}";
        }
    }

    private static void Tell(Invocation invocation, string headline, IEnumerable<string> details, string? tried, string? advice, string? type = null)
    {
        var screen = invocation.Screen;
        if (invocation.Json)
        {
            // One line on standard error: what stands on standard output is the answer, or nothing.
            screen.Note(new JsonObject
            {
                ["error"] = headline, ["type"] = type, ["details"] = new JsonArray([.. details.Select(d => JsonValue.Create(d))]), ["tried"] = tried, ["advice"] = advice,
            }.ToJsonString());
            return;
        }

        var lines = SafeText.Lines(headline);
        screen.Note($"msctl: {lines[0]}", Tone.Bad);
        foreach (var line in lines.Skip(1).Concat(details.SelectMany(SafeText.Lines)))
        {
            screen.Note($"  {line}");
        }

        if (tried is not null)
        {
            screen.Note($"  tried: {SafeText.Line(tried)}", Tone.Quiet);
        }

        foreach (var line in SafeText.Lines(advice).Where(l => l.Length > 0))
        {
            screen.Note($"  {line}");
        }
    }
}
