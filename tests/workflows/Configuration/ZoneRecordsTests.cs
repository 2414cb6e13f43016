using ManagedServers.Tests;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Tests.Payload;

namespace ManagedServers.Workflows.Tests.Configuration;

public sealed class ZoneRecordsTests(ProductImages images) : IClassFixture<ProductImages>
{
    private static readonly ZoneName Zone = ZoneName.Parse("example.org");
    private static readonly RecordRequest Ns = new(null, "NS", "ns1");
    private readonly Nasty nasty = new();

    [Fact]
    public void Records_become_a_zone_file_that_its_reader_knows()
    {
        var file = File(null, Ns, new RecordRequest("ns1", "A", "192.0.2.1"), new RecordRequest("@", "mx", "10 mail") { Ttl = 60 }, new RecordRequest("long", "TXT", null) { Text = [new string('x', 300)] });

        Assert.Equal(
            $"""
            $ORIGIN example.org.
            $TTL 3600
            @ SOA ns1 hostmaster 1 7200 900 1209600 300
            @ NS ns1
            ns1 A 192.0.2.1
            @ 60 MX 10 mail
            long TXT "{new string('x', 255)}" "{new string('x', 45)}"

            """, file);
    }

    [Fact]
    public void The_serial_rises_with_a_change_and_only_then()
    {
        var first = File(null, Ns, new RecordRequest("ns1", "A", "192.0.2.1"));
        Assert.Equal(first, File(first, Ns, new RecordRequest("ns1", "A", "192.0.2.1")));

        var second = File(first, Ns, new RecordRequest("ns1", "A", "192.0.2.2"));
        Assert.Equal(2, ZoneFileSerial.Of(second));
        Assert.Equal(8, ZoneFileSerial.Of(File("@ SOA a b 7 1 1 1 1\n", Ns, new RecordRequest("ns1", "A", "192.0.2.2"))));
        Assert.Equal(1, ZoneFileSerial.Of(File("@ SOA a b 4294967295 1 1 1 1\n", Ns)));
    }

    [Theory]
    [InlineData("www", "A", "192.0.2.1\nevil A 192.0.2.2", "data")]
    [InlineData("www", "A", "192.0.2.1 ; comment", "data")]
    [InlineData("www", "A", "( 192.0.2.1", "data")]
    [InlineData("www", "TXT", "\"open", "data")]
    [InlineData("www", "TXT", "end\\", "data")]
    [InlineData("www", "TXT", "", "data")]
    [InlineData("$INCLUDE", "A", "192.0.2.1", "name")]
    [InlineData("www.example.net.", "A", "192.0.2.1", "name")]
    [InlineData(" www", "A", "192.0.2.1", "name")]
    [InlineData("www", "IN", "A 192.0.2.1", "type")]
    [InlineData("www", "300", "A 192.0.2.1", "type")]
    [InlineData("www", "SOA", "a b 1 1 1 1 1", "type")]
    public void What_is_more_or_less_than_one_record_is_refused_by_its_field(string name, string type, string data, string field)
    {
        var errors = new InputErrors();
        Assert.Null(ZoneRecords.File("zones[0]", Zone, new ZoneRequest("example.org", null) { Records = [Ns, new RecordRequest(name, type, data)] }, null, errors));

        Assert.Equal([$"zones[0].records[1].{field}"], Assert.Throws<InvalidInputException>(errors.ThrowIfAny).Errors.Keys);
    }

    [Fact]
    public async Task Whatever_is_accepted_is_one_line_and_Knot_takes_every_text()
    {
        Assert.NotNull(images);
        List<RecordRequest> texts = [Ns, new RecordRequest("ns1", "A", "192.0.2.1")];
        var accepted = 0;
        for (var n = 0; n < Nasty.Of(1_500); n++)
        {
            texts.Add(new RecordRequest($"t{n}", "TXT", null) { Text = [nasty.Text(), nasty.Text()] });
            var record = new RecordRequest(nasty.OneOf("www", nasty.Spoiled("www"), nasty.Text(2)), nasty.OneOf("A", "TXT", nasty.Spoiled("MX")), nasty.OneOf(nasty.Spoiled("192.0.2.1"), nasty.Spoiled("\"a b\" c"), nasty.Text(4)));
            var errors = new InputErrors();
            if (ZoneRecords.File("z", Zone, new ZoneRequest("example.org", null) { Records = [Ns, record] }, null, errors) is { } file)
            {
                accepted++;
                Assert.True(file.Split('\n').Length == 6 && !file.Contains('\r', StringComparison.Ordinal), $"{record} (seed {nasty.Seed})");
                Assert.Equal(1, ZoneFileSerial.Of(file));
            }
        }

        Assert.True(accepted > 100, $"{accepted} accepted are not enough to prove anything (seed {nasty.Seed})");
        await using var pair = new KnotPair();
        await pair.Prepare("example.org");
        await pair.Write(Zone, File(null, [.. texts]));
        var (exitCode, stdout, stderr) = await pair.Check("/usr/bin/kzonecheck", "-o", "example.org.", $"{KnotConfiguration.ZoneFolder}/example.org.zone");
        Assert.True(exitCode == 0, $"{stdout}{stderr} (seed {nasty.Seed})");
    }

    private static string File(string? former, params RecordRequest[] records)
    {
        var errors = new InputErrors();
        var file = ZoneRecords.File("zones[0]", Zone, new ZoneRequest("example.org", null) { Records = records }, former, errors);
        errors.ThrowIfAny();
        return file!;
    }
}
