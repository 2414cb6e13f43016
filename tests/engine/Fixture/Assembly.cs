[assembly: TestFramework("ManagedServers.Tests.AfterLastTest", "ManagedServers.Engine.Tests")]
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
