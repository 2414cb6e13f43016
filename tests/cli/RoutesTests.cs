using System.Text.Json;
using ManagedServers.Cli.Tests.Running;

namespace ManagedServers.Cli.Tests;

/// <summary>SSH routes, rotation and host keys from the command line.</summary>
public sealed class RoutesTests : AgainstStandIn
{
    private const string First = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    private const string Second = "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
    private const string Route =
        $$$"""{"id":"0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b","name":"dmz","hops":[{"address":"jump1.example","sshPort":22,"sshUser":"ops","authentication":"key","hostKey":{"algorithm":"ssh-ed25519","fingerprint":"{{{First}}}"}},{"address":"2001:db8::2","sshPort":2222,"sshUser":"root","authentication":"password","hostKey":{"algorithm":"ssh-ed25519","fingerprint":"{{{Second}}}"}}],"servers":["ns1"],"createdAt":"2026-01-01T00:00:00Z"}""";

    [Fact]
    public async Task Each_hop_is_given_with_the_files_of_its_secrets_and_its_key_is_accepted_as_shown()
    {
        Product.On("POST", "/api/v2/sshroutes", (_, body) =>
        {
            using var sent = JsonDocument.Parse(body);
            var missing = sent.RootElement.GetProperty("hops").EnumerateArray().Index().Where(h => !h.Item.TryGetProperty("hostKey", out var key)).Select(h => h.Index).FirstOrDefault(-1);
            return missing < 0 ? (201, Route) : (409, $$$"""{"type":"host-key-unknown","status":409,"detail":"unknown","errors":{"hops[{{{missing}}}].hostKey":["unknown"]},"algorithm":"ssh-ed25519","fingerprint":"{{{(missing == 0 ? First : Second)}}}"}""");
        });

        var end = await Msctl.Run("routes", "add", "dmz", "--hop", $"ops@jump1.example,key-file={Msctl.File("key", "the key\n")}", "--hop", $"root@[2001:db8::2]:2222,password-file={Msctl.File("pw", "s3cret\n")}", "--accept-host-key", "shown");

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal(3, Product.Requests.Count(r => r.Method == "POST"));
        Assert.Equal(
            $$$"""{"name":"dmz","hops":[{"address":"jump1.example","sshPort":22,"sshUser":"ops","privateKey":"the key\n","hostKey":"{{{First}}}"},{"address":"[2001:db8::2]","sshPort":2222,"sshUser":"root","password":"s3cret","hostKey":"{{{Second}}}"}]}""",
            Product.Requests.Last().Body);
        Assert.Contains($"Host key of jump1.example:22 (ssh-ed25519): {First}", end.Error, StringComparison.Ordinal);
        Assert.Contains("root@[2001:db8::2]:2222 (password)", end.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", end.Out + end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_a_pipe_a_hop_key_must_be_accepted_by_an_option()
    {
        Product.On("POST", "/api/v2/sshroutes", $$"""{"type":"host-key-unknown","status":409,"detail":"unknown","errors":{"hops[0].hostKey":["unknown"]},"algorithm":"ssh-ed25519","fingerprint":"{{First}}"}""", 409);

        var end = await Msctl.Run("routes", "add", "dmz", "--hop", $"ops@jump1.example,password-file={Msctl.File("pw", "s3cret\n")}");

        Assert.Equal(2, end.ExitCode);
        Assert.Contains($"--accept-host-key {First}", end.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("jump1.example")]
    [InlineData("ops@jump1.example:ssh")]
    [InlineData("ops@jump1.example,password=s3cret")]
    public async Task What_is_no_hop_is_told_with_an_example(string hop)
    {
        var end = await Msctl.Run("routes", "edit", "dmz", "--hop", hop);
        Assert.Equal(2, end.ExitCode);
        Assert.Contains("For example --hop", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Routes_are_listed_tested_edited_and_removed()
    {
        Product.On("GET", "/api/v2/sshroutes", $$"""{"items":[{{Route}}],"next":null}""");
        Product.On("POST", "/api/v2/sshroutes/dmz/test", """{"ok":false,"hops":[{"host":"hop 1 of 2 on route dmz (jump1.example:22)","ok":true,"milliseconds":12.3,"problem":null},{"host":"hop 2 of 2 on route dmz ([2001:db8::2]:2222)","ok":false,"milliseconds":5,"problem":"refused the password"}]}""");
        Product.On("PATCH", "/api/v2/sshroutes/dmz", Route);
        Product.OnRaw("DELETE", "/api/v2/sshroutes/dmz", context => { context.Response.StatusCode = 204; return Task.CompletedTask; });

        Assert.Contains("ops@jump1.example:22 > root@[2001:db8::2]:2222", (await Msctl.Run("routes", "list")).Out, StringComparison.Ordinal);
        var test = await Msctl.Run("routes", "test", "dmz");
        Assert.Equal(1, test.ExitCode);
        Assert.Contains("refused the password", test.Out, StringComparison.Ordinal);
        Assert.Equal(0, (await Msctl.Run("routes", "edit", "dmz", "--hop", "ops@jump1.example", "--reason", "shorter")).ExitCode);
        Assert.Equal("""{"hops":[{"address":"jump1.example","sshPort":22,"sshUser":"ops"}],"reason":"shorter"}""", Product.Requests.Last().Body);
        Assert.Equal(2, (await Msctl.Run("routes", "remove", "dmz")).ExitCode);
        Assert.Equal(0, (await Msctl.Run("routes", "remove", "dmz", "--yes")).ExitCode);
    }

    [Fact]
    public async Task In_a_pipe_a_new_host_key_is_shown_beside_the_old_one_with_what_accepts_it()
    {
        const string run = "0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2c";
        Product.On("GET", "/api/v2/pvservers/ns1", """{"id":"0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b","name":"ns1","address":"192.0.2.10","sshPort":22,"state":"running"}""");
        Product.On("POST", "/api/v2/pvservers/ns1/host-key", $$$"""{"runId":"{{{run}}}","accepted":{"algorithm":"ssh-ed25519","fingerprint":"{{{First}}}"},"shown":{"algorithm":"ssh-ed25519","fingerprint":"{{{Second}}}"}}""", 202);
        Product.On("POST", $"/api/v2/runs/{run}/steps/accept/reject", """{"type":"x","status":409,"detail":"seen"}""", 409);

        var end = await Msctl.Run("servers", "host-key", "ns1", "--reason", "reinstalled");
        Assert.Equal((0, run), (end.ExitCode, end.Out.Trim()));
        Assert.Contains($"Accepted until now: {First}", end.Error, StringComparison.Ordinal);
        Assert.Contains($"Shown now:          {Second}", end.Error, StringComparison.Ordinal);
        Assert.Contains($"msctl runs approve {run}", end.Error, StringComparison.Ordinal);

        await Msctl.Run("servers", "host-key", "ns1", "--accept-host-key", First);
        Assert.Equal($"/api/v2/runs/{run}/steps/accept/reject", Product.Requests.Last().Path);
    }

    [Fact]
    public async Task A_credential_is_rotated_to_what_a_file_holds_or_to_a_key_of_the_products_own()
    {
        Product.On("POST", "/api/v2/pvservers/ns1/rotate-credential", """{"runId":"0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2c"}""", 202);

        Assert.Equal(0, (await Msctl.Run("servers", "rotate-credential", "ns1", "--no-watch", "--reason", "quarterly")).ExitCode);
        Assert.Equal(0, (await Msctl.Run("servers", "rotate-credential", "ns1", "--no-watch", "--password-file", Msctl.File("new", "n3w\n"))).ExitCode);

        Assert.Equal(["""{"reason":"quarterly"}""", """{"password":"n3w"}"""], Product.Requests.Where(r => r.Method == "POST").Select(r => r.Body));
    }
}
