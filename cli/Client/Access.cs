namespace ManagedServers.Cli.Client;

/// <summary>Who is signed in.</summary>
/// <param name="Name">Account.</param>
/// <param name="Groups">Its groups.</param>
public sealed record Identity(string Name, IReadOnlyList<string> Groups);

/// <summary>A token to be made.</summary>
/// <param name="Name">What it is called in the list of tokens.</param>
/// <param name="ExpiresInDays">How long it lasts; the product's default when null.</param>
/// <param name="NeverExpires">It lasts until it is revoked.</param>
public sealed record TokenRequest(string Name, int? ExpiresInDays, bool? NeverExpires);

/// <summary>A token as it is listed.</summary>
/// <param name="Id">Its identifier.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Account">Whose it is.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends; null for never.</param>
/// <param name="Current">This very request came with it.</param>
public sealed record TokenView(Guid Id, string Name, string Account, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, bool Current);

/// <summary>A new token; shown once by the product, never printed here.</summary>
/// <param name="Token">The secret.</param>
/// <param name="Id">Its identifier.</param>
/// <param name="ExpiresAt">When it ends.</param>
public sealed record NewToken(string Token, string Id, DateTimeOffset? ExpiresAt);
