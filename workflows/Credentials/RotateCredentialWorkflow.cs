using ManagedServers.Engine;
using ManagedServers.Workflows.Credentials.Steps;

namespace ManagedServers.Workflows.Credentials;

/// <summary>The input of a rotation: where the new credential is kept, never the credential.</summary>
/// <param name="What">The new credential in words; a key that the product makes has no fingerprint before the run.</param>
public sealed record RotateInput(Guid ServerId, string ServerName, Guid PendingId, bool IsPassword, string What, string Who, string? Reason)
{
    internal const string NewKey = "a new key of the product's own";

    /// <summary>The words of the server's history, by which a key is told later that the product has made and put on the host.</summary>
    internal static string Rotated(string credential, bool isMade) => $"rotated the credential: logs in with {credential}{(isMade ? ", which the product has made" : "")}";
}

/// <summary>
/// Puts a new credential in the place of the one with which the product logs in on a host. The old one works until the new one is proven; whatever
/// fails, the one that is stored works.
/// </summary>
[Workflow("rotate-credential", version: 2)]
public sealed class RotateCredentialWorkflow : IWorkflow<RotateInput>
{
    public string Title(RotateInput input) => $"rotate the credential of {input.ServerName}";

    public void Describe(WorkflowPlan<RotateInput> plan)
    {
        var input = plan.Input;
        plan.Exclusive($"server:{input.ServerId}");
        plan.Timeout(TimeSpan.FromHours(1));

        plan.Step("prove-old", "Log in with the credential of today", ProveLogin.With(input)).OnFailure(StepFailure.Fail);
        if (input.IsPassword)
        {
            // One step: between the host's new password and the product's there must be nothing that can end the run.
            plan.Step("set-password", "Set the new password on the host and use it from now on", SetPassword.With(input)).OnFailure(StepFailure.Compensate);
        }
        else
        {
            plan.Step("install-key", $"Let {input.What} in on the host", InstallKey.With(input)).OnFailure(StepFailure.Compensate);
            plan.Step("prove-key", "Log in anew with it", ProvePending.With(input)).OnFailure(StepFailure.Compensate);
            plan.Step("switch", "Use it from now on", SwitchCredential.With(input)).OnFailure(StepFailure.Compensate);
        }

        plan.Step("remove-old-key", "Take the product's old key from the host", RemoveOldKey.With(input)).OnFailure(StepFailure.Compensate);
        plan.Step("prove-new", "Log in anew with what is stored", ProveLogin.With(input)).OnFailure(StepFailure.Compensate);
        plan.Step("record", "Write it into the server's history", RecordRotation.With(input));
    }
}
