using Dapper;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ManagedServers.Workflows.Tests.Settings;

[Collection(WithDatabase.Name)]
public sealed class KnownSecretsTests(Database databases)
{
    private const string Purpose = Workflows.Servers.Servers.CredentialPurpose;
    private readonly EphemeralDataProtectionProvider keyRing = new();

    [Fact]
    public async Task What_one_node_stores_another_knows_before_it_has_used_it()
    {
        await using var database = await databases.Fresh();
        var (here, _) = Node(database);
        await Store(database, "first-password");
        await here.Refresh();
        Assert.True(here.StandIn("echo first-password"));

        var id = await Store(database, "second-password");
        Assert.False(here.StandIn("echo second-password"));
        await here.Refresh();
        Assert.True(here.StandIn("echo second-password"));

        await Update(database, id, "third-password");
        await here.Refresh();
        Assert.True(here.StandIn("echo second-password third-password"));
        Assert.False(here.StandIn("echo fourth-password"));
    }

    [Fact]
    public async Task A_row_that_another_key_has_encrypted_keeps_no_node_from_knowing_the_others()
    {
        await using var database = await databases.Fresh();
        await Store(database, "first-password");
        await database.CreateCommand("update servers.server set credential = 'of another key'").ExecuteNonQueryAsync();
        await Store(database, "second-password");
        var (here, _) = Node(database);

        await here.Refresh();

        Assert.True(here.StandIn("echo second-password"));
    }

    [Fact]
    public void A_secret_that_nobody_keeps_any_more_is_forgotten_and_one_that_is_read_again_is_not()
    {
        var redactor = new SecretRedactor();
        redactor.Learn("example.org");
        redactor.Learn("still-in-use");

        redactor.BeginAnew();
        Assert.Equal("[secret] [secret]", redactor.Redact("example.org still-in-use"));

        redactor.Learn("still-in-use");
        redactor.Forget();
        Assert.Equal("example.org [secret]", redactor.Redact("example.org still-in-use"));
    }

    [Theory]
    [InlineData("hunter22", "say hunter22!", "say [secret]!")]
    [InlineData("hunter22", "xhunter22hunter22x", "x[secret][secret]x")]
    [InlineData("hunt", "hunt the hunter, hunt-er", "[secret] the hunter, [secret]-er")]
    [InlineData("p\"ss\\word", "{\"a\":\"p\\\"ss\\\\word\"}", "{\"a\":\"[secret]\"}")]
    [InlineData("{\"Password\":\"pass+word\",\"PrivateKey\":null}", "pass+word and PrivateKey", "[secret] and PrivateKey")]
    [InlineData("-----BEGIN X-----\nline-one\nline-two\n-----END X-----", "line-two", "[secret]")]
    public void A_secret_is_masked_wherever_it_stands_and_a_short_one_where_it_stands_alone(string secret, string text, string masked)
    {
        var redactor = new SecretRedactor();
        redactor.Learn(secret);
        redactor.Learn("overlapping");
        redactor.Learn("pingpong");

        Assert.Equal(masked, redactor.Redact(text));
        Assert.Equal("[secret] ms- [secret]", redactor.Redact("overlappingpong ms- ms_" + new string('x', 43)));
    }

    private (KnownSecrets Known, Secrets Secrets) Node(NpgsqlDataSource database)
    {
        var redactor = new SecretRedactor();
        var secrets = new Secrets(keyRing, redactor);
        StoredSecrets[] stored = [new(Purpose, "select id, credential, xmin from servers.server")];
        return (new KnownSecrets(database, stored, secrets, redactor, TimeProvider.System, NullLogger<KnownSecrets>.Instance), secrets);
    }

    private async Task<Guid> Store(NpgsqlDataSource database, string password)
    {
        var id = Guid.CreateVersion7();
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync(
            """
            insert into servers.server (id, name, address, ssh_port, ssh_user, authentication, credential, report_token, host_key_algorithm, host_key_fingerprint, created_by)
            values (@id, @id::text, '192.0.2.1', 22, 'root', 'password', @credential, '', '', @id::text, 'ada')
            """, new { id, credential = Protected(database, id, password) });
        return id;
    }

    private async Task Update(NpgsqlDataSource database, Guid id, string password)
    {
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync("update servers.server set credential = @credential where id = @id", new { id, credential = Protected(database, id, password) });
    }

    // By another node.
    private string Protected(NpgsqlDataSource database, Guid id, string password) =>
        Node(database).Secrets.Protect(Purpose, id, new StoredCredential(password, null, null).ToJson());
}
