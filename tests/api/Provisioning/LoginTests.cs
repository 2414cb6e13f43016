using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>What a user may do on a host is found out when the host is registered.</summary>
[Collection(WithSharedProduct.Name)]
public sealed class LoginTests(SharedProduct shared)
{
    private const string Password = "word-for-logins";

    [Fact]
    public async Task Root_sudo_and_the_group_docker_are_recognised_and_whoever_has_none_of_them_is_refused_with_what_helps()
    {
        await using var lab = await LabHost.Start(new LabOptions
        {
            Users = [User("plain"), User("deploy") with { Sudo = true }, User("runner") with { Groups = ["docker"] }, User("both") with { Sudo = true, Groups = ["docker"] }, User("asks")],
            Setup = "echo 'asks ALL=(ALL) ALL' > /etc/sudoers.d/asks",
        });

        var plain = await Refused(lab, "plain");
        Assert.Contains("root: its user id is ", plain, StringComparison.Ordinal);
        Assert.Contains("sudo: sudo: a password is required.", plain, StringComparison.Ordinal);
        Assert.Contains("plain ALL=(ALL) NOPASSWD: ALL", plain, StringComparison.Ordinal);
        Assert.Contains("docker: it may not use Docker, because it is not in the group docker.", plain, StringComparison.Ordinal);
        Assert.Contains("usermod -aG docker plain", plain, StringComparison.Ordinal);
        Assert.Contains("asks ALL=(ALL) NOPASSWD: ALL", await Refused(lab, "asks"), StringComparison.Ordinal);
        Assert.Contains("sudo: a password is required", await Refused(lab, "runner", "sudo"), StringComparison.Ordinal);
        Assert.Contains("its user id is", await Refused(lab, "deploy", "root"), StringComparison.Ordinal);
        Assert.Contains("must be auto, root, sudo or docker", await Refused(lab, "deploy", "wheel"), StringComparison.Ordinal);

        Assert.Equal(("docker", "/home/both/.managed-servers"), await Added(lab, "both", "docker"));
        Assert.Equal("sudo", await Edited(new { login = "auto" }));
        Assert.Equal("sudo", await Edited(new { password = Password }));
        await lab.Run("echo both:another-word | chpasswd");
        Assert.Contains("refused the password", (await Edit(new { password = Password })).Body.GetProperty("errors").GetProperty("password")[0].GetString(), StringComparison.Ordinal);
        await lab.Run($"echo both:{Password} | chpasswd");
        Assert.Equal("docker", await Edited(new { sshUser = "runner" }));
        Assert.Equal("sudo", await Edited(new { sshUser = "deploy" }));
        // As soon as it is let into the group: the connection over which it was refused is a moment old.
        Assert.Equal(HttpStatusCode.BadRequest, (await Edit(new { sshUser = "plain" })).Status);
        await lab.Run("usermod -aG docker plain");
        Assert.Equal("docker", await Edited(new { sshUser = "plain" }));
        Assert.Equal("root", await Edited(new { sshUser = "root", password = lab.RootPassword }));
        using var admin = shared.Product.Admin();
        var history = await admin.GetAsync("/api/v2/pvservers/login/history").Json();
        Assert.Contains("login from plain, in the group docker, never root to root, root itself", history[0].GetProperty("what").GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync("/api/v2/pvservers/login")).StatusCode);
    }

    private async Task<(string?, string?)> Added(LabHost lab, string user, string? login)
    {
        var (status, body) = await Add(lab, user, login);
        Assert.True(status == HttpStatusCode.Created, body.ToString());
        return (body.GetProperty("login").GetString(), body.GetProperty("folder").GetString());
    }

    private async Task<string?> Edited(object change)
    {
        var (status, body) = await Edit(change);
        Assert.True(status == HttpStatusCode.OK, body.ToString());
        return body.GetProperty("login").GetString();
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> Edit(object change)
    {
        using var admin = shared.Product.Admin();
        return await admin.PatchAsJsonAsync("/api/v2/pvservers/login", change).Answer();
    }

    private async Task<string> Refused(LabHost lab, string user, string? login = null)
    {
        var (status, problem) = await Add(lab, user, login);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        return problem.GetProperty("errors").GetProperty("login")[0].GetString()!;
    }

    private async Task<(HttpStatusCode, JsonElement)> Add(LabHost lab, string user, string? login)
    {
        using var admin = shared.Product.Admin();
        var key = await admin.PostAsJsonAsync("/api/v2/pvservers/probe", new { address = lab.Address }).Json();
        return await admin.PostAsJsonAsync("/api/v2/pvservers", new { name = "login", address = lab.Address, sshUser = user, password = Password, login, hostKey = key.GetProperty("fingerprint").GetString() }).Answer();
    }

    private static LabUser User(string name) => new() { Name = name, Password = Password };
}
