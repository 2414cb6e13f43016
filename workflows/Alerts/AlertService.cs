using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Alerts;

/// <summary>Evaluates again and again, on every node: whoever comes first does it.</summary>
internal sealed class AlertService(AlertEvaluation evaluation, NotificationRuns notifications, TimeProvider time, ILogger<AlertService> logger) : BackgroundService
{
    // How soon it is noticed that an evaluation is due, and what another node has left undone.
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(5);
    private string? told;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await EvaluateOrLater(stoppingToken);
                await Task.Delay(Turn, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task EvaluateOrLater(CancellationToken cancellationToken)
    {
        try
        {
            await notifications.Start(cancellationToken);
            if (await evaluation.Evaluate(cancellationToken) is not null)
            {
                await notifications.Start(cancellationToken);
            }

            told = null;
        }
        catch (Exception problem) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is, the next evaluation may go well, and an evaluation that is never tried again would be silence. Told once, not every few seconds.
            if (told != problem.Message)
            {
                told = problem.Message;
                logger.LogError(problem, "Alerts could not be evaluated; trying again every {Seconds} s", Turn.TotalSeconds);
            }
        }
    }
}
