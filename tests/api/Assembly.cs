[assembly: TestFramework("ManagedServers.Tests.AfterLastTest", "ManagedServers.Api.Tests")]
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
