namespace ManagedServers.Api.Hosting;

/// <summary>One process at a time prepares a data folder; the lock ends with its process.</summary>
internal static class StartLock
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static async Task<IAsyncDisposable> Take(string file, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        while (true)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (!limit.IsCancellationRequested)
            {
                await Task.Delay(100, cancellationToken);
            }
        }
    }
}
