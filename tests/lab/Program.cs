using System.Globalization;
using System.Text.Json;
using ManagedServers.Lab;

// The lab from the command line, for ./run. A host lives until it is taken down, or until its owner has ended and
// somebody cleans up; `clean` with an owner also removes what that process has while it lives.
switch (args)
{
    case ["up", var name, var owner]:
        var host = await LabHost.Start(new LabOptions { Name = name, Owner = LabOwner.Of(int.Parse(owner, CultureInfo.InvariantCulture)) });
        Console.WriteLine(JsonSerializer.Serialize(
            new { host.Id, host.Name, host.Address, host.Gateway, user = "root", password = host.RootPassword },
            JsonSerializerOptions.Web));
        return 0;

    case ["down", var id]:
        await LabLeftovers.RemoveHost(id);
        return 0;

    case ["clean"]:
        await LabLeftovers.Remove();
        return 0;

    case ["clean", var owner]:
        await LabLeftovers.RemoveAllOf(int.Parse(owner, CultureInfo.InvariantCulture));
        return 0;

    default:
        await Console.Error.WriteLineAsync("usage: ManagedServers.Lab up NAME OWNER-PID | down ID | clean [OWNER-PID]");
        return 2;
}
