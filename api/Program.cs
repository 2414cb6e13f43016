using System.CommandLine;
using ManagedServers.Api.Hosting;

return await Commands.Root().Parse(args).InvokeAsync();
