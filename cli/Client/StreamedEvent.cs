namespace ManagedServers.Cli.Client;

/// <summary>One server-sent event of a run.</summary>
/// <param name="Json">Its data as the product sent it.</param>
public abstract record StreamedEvent(string Json);

/// <summary>Something of the run changed.</summary>
/// <param name="Run">The run as it is now.</param>
/// <param name="Json">As it came.</param>
public sealed record RunChanged(RunDetails Run, string Json) : StreamedEvent(Json);

/// <summary>A line of its log.</summary>
/// <param name="Line">The line.</param>
/// <param name="Json">As it came.</param>
public sealed record LogWritten(LogLine Line, string Json) : StreamedEvent(Json);

/// <summary>The run ended; the stream closes.</summary>
/// <param name="Run">The run as it ended.</param>
/// <param name="Json">As it came.</param>
public sealed record RunEnded(RunDetails Run, string Json) : StreamedEvent(Json);

/// <summary>Nothing came for so long that the connection is opened again to be sure.</summary>
/// <param name="tried">Method and address of the request.</param>
/// <param name="inner">What lies below.</param>
public sealed class SilentStreamException(string tried, Exception inner) : ProductException("nothing came for a while", tried, inner);
