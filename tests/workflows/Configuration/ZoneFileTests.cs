using ManagedServers.Workflows.Configuration;

namespace ManagedServers.Workflows.Tests.Configuration;

public sealed class ZoneFileTests
{
    [Fact]
    public void Names_are_told_whole_and_as_hits_have_them_however_the_file_writes_them()
    {
        const string file =
            """
            $TTL 1h ; a comment
            @ 3600 IN SOA ns1 host (
              2026112601 ; serial
              1h 15m 1w 5m )
                  NS ns1
                  IN MX 10 mail
            Ns1 A 192.0.2.1
            *.wild TXT "not ; a comment" "( nor this"
            a\.b A 192.0.2.2
            a\046c A 192.0.2.2
            \097\000\@ A 192.0.2.3
            other.example.org. 60 CAA 0 issue "ca.example"
            $ORIGIN sub.example.org.
            @ NS ns
            ns A 192.0.2.4
            $ORIGIN deep
            x A 192.0.2.5
            """;
        Assert.Equal(
            [
                ("example.org.", "SOA"), ("example.org.", "NS"), ("example.org.", "MX"), ("ns1.example.org.", "A"), ("*.wild.example.org.", "TXT"), (@"a\.b.example.org.", "A"), (@"a\.c.example.org.", "A"),
                (@"a\000\@.example.org.", "A"), ("other.example.org.", "CAA"), ("sub.example.org.", "NS"), ("ns.sub.example.org.", "A"), ("x.deep.sub.example.org.", "A"),
            ],
            ZoneFile.Entries(file, "example.org").Select(e => (e.Owner, e.Type)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n ; nothing\n\t\n")]
    [InlineData("@ ( ) ) ) (\n\\")]
    [InlineData("@ TXT \"open\n\\")]
    [InlineData("$ORIGIN\n$INCLUDE x\n$")]
    public void What_is_no_zone_ends_the_reading_and_nothing_else(string file) => Assert.InRange(ZoneFile.Entries(file, "example.org").Count(), 0, 2);
}
