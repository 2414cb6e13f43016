namespace ManagedServers.Tests;

/// <summary>One product for all tests that leave it as they found it.</summary>
public sealed class SharedProduct : IAsyncLifetime
{
    public ProductProcess Product { get; private set; } = null!;

    public async Task InitializeAsync() => Product = await ProductProcess.Start();

    public async Task DisposeAsync() => await Product.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class WithSharedProduct : ICollectionFixture<SharedProduct>
{
    public const string Name = "shared product";
}
