using ManagedServers.Engine;

namespace Samples;

/// <summary>What to ship. Ids and words, no secrets: it is journalled.</summary>
public sealed record Order(string Number, int Total, IReadOnlyList<string> Parcels);

public sealed record Reservation(string Id);

public sealed record Payment(string Receipt);

/// <summary>Reserve, have large orders approved, take the money, send every parcel by a run of its own, and thank the customer.</summary>
[Workflow("ship-order", version: 1)]
public sealed class ShipOrder : IWorkflow<Order>
{
    public string Title(Order order) => $"ship order {order.Number}";

    public void Describe(WorkflowPlan<Order> plan)
    {
        var order = plan.Input;

        // One run at a time for this order; a second one waits and is told for whom.
        plan.Exclusive($"order:{order.Number}");

        var reserved = plan.Step("reserve", "Reserve the goods", Reserve.With(order.Number)).OnFailure(StepFailure.Compensate);

        // The plan is data made from the input, so a condition known now is plain C#. One that depends on results is .When(results => …).
        if (order.Total > 1000)
        {
            plan.Approve("approve", $"Ship for {order.Total}?", TimeSpan.FromDays(2));
        }

        var paid = plan.Step("take-payment", "Take the money", TakePayment.With(results => new PaymentRequest(order.Number, order.Total, results.Of(reserved).Id)))
            .Retry(Backoff.Exponential(5, first: TimeSpan.FromSeconds(5), max: TimeSpan.FromMinutes(2)))
            .OnFailure(StepFailure.Compensate);

        plan.Children<SendParcel, string>("send", "Send the parcels", [.. order.Parcels.Select(p => new ChildStart<string>(p, Subject: $"parcel:{p}"))], atOnce: 2)
            // Longer than any of them may take: seven days, if nothing is said, are fewer than a parcel's fourteen.
            .Timeout(TimeSpan.FromDays(15));

        plan.Step("thank", "Thank the customer", Thank.With(results => results.Of(paid).Receipt)).OnFailure(StepFailure.Continue);
    }
}

[Workflow("send-parcel", version: 1)]
public sealed class SendParcel : IWorkflow<string>
{
    public string Title(string parcel) => $"send parcel {parcel}";

    public void Describe(WorkflowPlan<string> plan)
    {
        plan.Step("hand-over", "Hand it to the carrier", HandOver.With(plan.Input));
        plan.WaitFor<string>("delivered", "Wait until the carrier says that it arrived", TimeSpan.FromDays(14));
    }
}

/// <summary>Where the steps work; yours would be a client of some other system.</summary>
public interface IShop
{
    Task<Reservation> EnsureReserved(string order, string label, CancellationToken cancellationToken);

    Task Release(string order, CancellationToken cancellationToken);

    Task<Payment?> FindPayment(string label, CancellationToken cancellationToken);

    Task<Payment> Charge(int total, string label, CancellationToken cancellationToken);

    Task HandOver(string parcel, CancellationToken cancellationToken);

    Task Thank(string receipt, CancellationToken cancellationToken);
}

/// <summary>Looks before it acts, labels what it makes, and can take it back.</summary>
public sealed class Reserve(IShop shop) : Step<Reserve, string, Reservation>, IUndoable<string, Reservation>
{
    public override async Task<Reservation> Run(string order, StepContext step)
    {
        var reservation = await shop.EnsureReserved(order, step.IdempotencyKey, step.Cancellation);
        step.Changed($"reservation {reservation.Id}");
        return reservation;
    }

    // Also called when the step was interrupted and nobody knows how far it came: then `made` is null.
    public Task Undo(string order, Reservation? made, StepContext step) => shop.Release(order, step.Cancellation);
}

public sealed record PaymentRequest(string Order, int Total, string Reservation);

/// <summary>Must not happen twice: after an interruption it is asked whether it was done.</summary>
public sealed class TakePayment(IShop shop) : Step<TakePayment, PaymentRequest, Payment>, IVerifiable<PaymentRequest, Payment>
{
    public override Task<Payment> Run(PaymentRequest request, StepContext step) => request.Total > 0
        ? shop.Charge(request.Total, step.IdempotencyKey, step.Cancellation)
        : throw new StepRejectedException($"Order {request.Order} has a total of {request.Total}; there is nothing to take. Correct the order and retry with the new input.");

    public async Task<Verdict<Payment>> Verify(PaymentRequest request, StepContext step) =>
        await shop.FindPayment(step.IdempotencyKey, step.Cancellation) is { } payment ? Verdict<Payment>.Done(payment) : Verdict<Payment>.NotDone;
}

public sealed class HandOver(IShop shop) : Step<HandOver, string, Nothing>
{
    public override async Task<Nothing> Run(string parcel, StepContext step)
    {
        await shop.HandOver(parcel, step.Cancellation);
        return Nothing.Value;
    }
}

public sealed class Thank(IShop shop) : Step<Thank, string, Nothing>
{
    public override async Task<Nothing> Run(string receipt, StepContext step)
    {
        await shop.Thank(receipt, step.Cancellation);
        return Nothing.Value;
    }
}
