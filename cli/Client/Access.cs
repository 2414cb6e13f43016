namespace ManagedServers.Cli.Client;

/// <summary>Who is signed in.</summary>
/// <param name="Name">Account.</param>
/// <param name="Groups">Its groups.</param>
public sealed record Identity(string Name, IReadOnlyList<string> Groups);

/// <summary>A token to be made.</summary>
/// <param name="Name">What it is called in the list of tokens.</param>
/// <param name="ExpiresInDays">How long it lasts; the product's default when null.</param>
public sealed record TokenRequest(string Name, int? ExpiresInDays);

/// <summary>A new token; shown once by the product, never printed here.</summary>
/// <param name="Token">The secret.</param>
/// <param name="Id">Its identifier.</param>
/// <param name="ExpiresAt">When it ends.</param>
public sealed record NewToken(string Token, string Id, DateTimeOffset? ExpiresAt);
