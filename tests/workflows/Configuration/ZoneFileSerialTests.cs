using ManagedServers.Workflows.Configuration;

namespace ManagedServers.Workflows.Tests.Configuration;

public sealed class ZoneFileSerialTests
{
    [Theory]
    [InlineData("@ SOA ns1 host 42 1 2 3 4", 42)]
    [InlineData("$ORIGIN example.org.\n$TTL 1h\n@ 3600 IN SOA ns1 host (\n  2026112601 ; serial\n 1h 15m 1w 5m )\n", 2026112601)]
    [InlineData("example.org. in 1h soa ns1 host ( ; begins\r\n\r\n 4294967295 1 2 3 4 )", 4294967295)]
    [InlineData("\tIN SOA ns1 host 7 1 2 3 4", 7)]
    [InlineData("; SOA a b 1 2 3 4 5\ntxt TXT \"x SOA a b 1 (\" ; (\nsoa A 192.0.2.1\n@ SOA ns1 h\\.o 9 1 2 3 4", 9)]
    [InlineData("soa SOA ns1 host 5 1 2 3 4", 5)]
    public void The_serial_is_found_however_the_SOA_is_written(string zone, long serial) => Assert.Equal(serial, ZoneFileSerial.Of(zone));

    [Theory]
    [InlineData("")]
    [InlineData("@ NS ns1\nSOA A 192.0.2.1\n")]
    [InlineData("@ SOA ns1 host 4294967296 1 2 3 4")]
    [InlineData("@ SOA ns1 host (")]
    [InlineData("@ TXT \"open\n\\")]
    public void Without_one_nothing_is_made_up(string zone) => Assert.Null(ZoneFileSerial.Of(zone));
}
