namespace ManagedServers.Cli.Client;

/// <summary>A request to the product did not come to a good end.</summary>
/// <param name="message">What came back, in words.</param>
/// <param name="tried">Method and address of the request.</param>
/// <param name="inner">What lies below.</param>
public abstract class ProductException(string message, string tried, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Method and address of the request.</summary>
    public string Tried { get; } = tried;
}

/// <summary>The product answered and refused.</summary>
/// <param name="problem">What it said.</param>
/// <param name="status">HTTP status.</param>
/// <param name="tried">Method and address of the request.</param>
public sealed class RefusedException(Problem problem, int status, string tried) : ProductException(problem.Detail ?? problem.Title ?? $"status {status}", tried)
{
    /// <summary>What it said.</summary>
    public Problem Problem { get; } = problem;

    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>Nobody is signed in, or the account has not this right.</summary>
    public bool NotAllowed => Status is 401 or 403;

    /// <summary>
    /// A proxy or a starting product says that it cannot answer yet. A 502 with a type is the product's own word: it was the managed host that did not answer.
    /// </summary>
    public bool Passing => Status is 503 || (Status is 502 or 504 && Problem.Type is null);
}

/// <summary>No answer: no connection, no trust in who answered, or not in time.</summary>
/// <param name="message">Why, in words.</param>
/// <param name="tried">Method and address of the request.</param>
/// <param name="inner">What lies below.</param>
public sealed class UnreachableException(string message, string tried, Exception? inner = null) : ProductException(message, tried, inner)
{
    /// <summary>Somebody answered who is not known to be the product; asking again will not change that.</summary>
    public bool Untrusted { get; init; }
}

/// <summary>Something answered, but not as the product does.</summary>
/// <param name="message">What was strange.</param>
/// <param name="tried">Method and address of the request.</param>
/// <param name="inner">What lies below.</param>
public sealed class MalformedAnswerException(string message, string tried, Exception? inner = null) : ProductException(message, tried, inner);
