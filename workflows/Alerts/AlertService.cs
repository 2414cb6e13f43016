using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Alerts;

/// <summary>Evaluates again and again, on every node: whoever comes first does it. Beside it the trends are worked out, which takes longer and holds up nobody.</summary>
internal sealed class AlertService(AlertEvaluation evaluation, NotificationRuns notifications, Trends trends, TimeProvider time, ILogger<AlertService> logger) : BackgroundService
{
    // How soon it is noticed that something is due, and what another node has left undone.
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(5);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        Again("Alerts could not be evaluated", Evaluate, stoppingToken),
        Again("The trends for forecasts could not be worked out", trends.Refresh, stoppingToken));

    private async Task Evaluate(CancellationToken cancellationToken)
    {
        await notifications.Start(cancellationToken);
        if (await evaluation.Evaluate(cancellationToken) is not null)
        {
            await notifications.Start(cancellationToken);
        }
    }

    private async Task Again(string failed, Func<CancellationToken, Task> action, CancellationToken stoppingToken)
    {
        string? told = null;
        try
        {
            while (true)
            {
                told = await OrLater(failed, told, action, stoppingToken);
                await Task.Delay(Turn, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <returns>What was said about it; null when it went well.</returns>
    private async Task<string?> OrLater(string failed, string? told, Func<CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        try
        {
            await action(cancellationToken);
            return null;
        }
        catch (Exception problem) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is, the next time may go well, and what is never tried again would be silence. Told once, not every few seconds.
            if (told != problem.Message)
            {
                logger.LogError(problem, "{Failed}; trying again every {Seconds} s", failed, Turn.TotalSeconds);
            }

            return problem.Message;
        }
    }
}
