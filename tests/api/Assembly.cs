[assembly: TestFramework("ManagedServers.Tests.AfterLastTest", "ManagedServers.Api.Tests")]
