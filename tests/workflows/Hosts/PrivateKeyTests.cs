using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Tests.Hosts;

[Collection(HostCollection.Name)]
public sealed class PrivateKeyTests(TestHost lab)
{
    [Fact]
    public void An_encrypted_key_without_passphrase_names_the_passphrase()
    {
        foreach (var key in new[] { lab.EncryptedKey, lab.EncryptedPem })
        {
            var problem = Unusable(key, null);
            Assert.Equal(("passphrase", "The private key is encrypted: give its passphrase."), (problem.Field, problem.Message));
        }
    }

    [Fact]
    public void A_wrong_passphrase_names_the_passphrase_and_does_not_show_it()
    {
        foreach (var key in new[] { lab.EncryptedKey, lab.EncryptedPem })
        {
            var problem = Unusable(key, "wrong-s3cret");
            Assert.Equal("passphrase", problem.Field);
            Assert.DoesNotContain("wrong-s3cret", problem.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----")]
    public void What_is_no_key_names_the_private_key(string text) => Assert.Equal("privateKey", Unusable(text, null).Field);

    [Fact]
    public void Half_a_key_is_no_key() => Assert.Equal("privateKey", Unusable(lab.PlainKey[..200], null).Field);

    [Fact]
    public void A_public_key_is_told_apart() =>
        Assert.Contains("public half", Unusable("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA root@ns1", null).Message, StringComparison.Ordinal);

    [Fact]
    public void A_passphrase_that_is_not_needed_does_no_harm() => PrivateKeys.Check(new PrivateKeyCredential(lab.PlainKey, "superfluous"));

    private static HostRejectedException Unusable(string pem, string? passphrase)
    {
        var problem = Assert.Throws<HostRejectedException>(() => PrivateKeys.Check(new PrivateKeyCredential(pem, passphrase)));
        Assert.Equal(HostProblem.CredentialUnusable, problem.Code);
        return problem;
    }
}
