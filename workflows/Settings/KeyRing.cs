using System.Xml.Linq;
using Dapper;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ManagedServers.Workflows.Settings;

/// <summary>Data Protection's keys, in PostgreSQL, sealed with the master key.</summary>
internal sealed class KeyRing(NpgsqlDataSource database) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var connection = database.OpenConnection();
        return [.. connection.Query<string>("select xml from settings.key_ring order by id").Select(XElement.Parse)];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var connection = database.OpenConnection();
        connection.Execute("insert into settings.key_ring (name, xml) values (@name, @xml)", new { name = friendlyName, xml = element.ToString(SaveOptions.DisableFormatting) });
    }
}

internal sealed class MasterKeyEncryptor(MasterKey key) : IXmlEncryptor
{
    public EncryptedXmlInfo Encrypt(XElement plaintextElement) =>
        new(new XElement("sealed", key.Seal(plaintextElement.ToString(SaveOptions.DisableFormatting))), typeof(MasterKeyDecryptor));
}

internal sealed class MasterKeyDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement) =>
        XElement.Parse(services.GetRequiredService<MasterKey>().Open(encryptedElement.Value));
}

internal sealed class KeyRingOptions(NpgsqlDataSource database, MasterKey key) : IConfigureOptions<KeyManagementOptions>
{
    public void Configure(KeyManagementOptions options)
    {
        options.XmlRepository = new KeyRing(database);
        options.XmlEncryptor = new MasterKeyEncryptor(key);
    }
}
