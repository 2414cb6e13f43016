using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.Commands;

/// <summary>The rules for what an operator writes into the catalogue.</summary>
internal sealed class CommandChecks(KnownSecrets secrets)
{
    private const int LongestText = 16 * 1024;
    private const int LongestDescription = 500;
    private const int MostCodes = 16;

    /// <param name="before">What is changed; null for a new one.</param>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    public CatalogueCommand Merge(CatalogueRequest request, CatalogueCommand? before)
    {
        var errors = new InputErrors();
        var name = request.Name is null && before is not null ? before.Name : errors.Parse<DisplayName>("name", request.Name)?.Text;
        var merged = new CatalogueCommand
        {
            Name = name ?? "",
            Description = (request.Description ?? before?.Description ?? "").Trim(),
            Text = request.Text?.ReplaceLineEndings("\n") ?? before?.Text ?? "",
            TimeoutSeconds = request.TimeoutSeconds ?? before?.TimeoutSeconds ?? 300,
            SuccessCodes = [.. (request.SuccessCodes ?? before?.SuccessCodes ?? [0]).Distinct().Order()],
            AsRoot = request.AsRoot ?? before?.AsRoot ?? true,
            Repeatable = request.Repeatable ?? before?.Repeatable ?? false,
            Uses = [.. (request.Uses ?? before?.Uses ?? []).Distinct()],
            OnFailure = request.OnFailure ?? before?.OnFailure ?? CommandFailure.Pause,
            BuiltIn = false,
        };
        Check(merged, errors);
        errors.ThrowIfAny();
        return merged;
    }

    /// <summary>Also asked when a text is copied into a run: a secret may have become known since it was written.</summary>
    public bool HoldsSecret(string text) => secrets.StandIn(text);

    private void Check(CatalogueCommand command, InputErrors errors)
    {
        if (string.IsNullOrWhiteSpace(command.Text) || command.Text.Length > LongestText || command.Text.Contains('\0'))
        {
            errors.Add("text", $"must be shell text of at most {LongestText} characters, without NUL characters");
        }
        else if (HoldsSecret(command.Text))
        {
            errors.Add("text", "holds a password, a key or a token that the product knows, and would be kept with every run: let the command read it from a file on the host");
        }

        if (command.Description.Length > LongestDescription || command.Description.Any(char.IsControl))
        {
            errors.Add("description", $"must be one line of at most {LongestDescription} characters");
        }
        else if (HoldsSecret(command.Description))
        {
            errors.Add("description", "holds a password, a key or a token that the product knows");
        }

        if (command.TimeoutSeconds is not (>= 1 and <= 86_400))
        {
            errors.Add("timeoutSeconds", "must be 1 to 86400");
        }

        if (command.SuccessCodes.Count is 0 or > MostCodes || command.SuccessCodes.Any(c => c is < 0 or > 255))
        {
            errors.Add("successCodes", $"must be 1 to {MostCodes} exit codes of 0 to 255");
        }

        foreach (var (index, use) in command.Uses.Index())
        {
            errors.Parse<CommandUse>($"uses[{index}]", use);
        }

        if (!Enum.IsDefined(command.OnFailure))
        {
            errors.Add("onFailure", "must be pause, continue or undo");
        }
    }
}
