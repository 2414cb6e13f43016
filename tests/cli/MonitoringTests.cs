using ManagedServers.Cli.Commands.Monitoring;
using ManagedServers.Cli.Tests.Running;
using ManagedServers.Cli.Tests.StandIn;

namespace ManagedServers.Cli.Tests;

/// <summary>Heartbeats, hits and metrics, against the stand-in.</summary>
public sealed class MonitoringTests : AgainstStandIn
{
    [Fact]
    public async Task Hits_have_their_coverage_under_the_table()
    {
        Product.On("GET", "/api/v2/pvservers/ns1/hits", """{"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","coverage":{"named":120,"queries":123,"share":0.9756,"connected":true,"lastSampleAt":"2026-01-01T23:59:50Z"},"items":[{"zone":"example.org.","name":"www.example.org.","type":"A","count":117,"total":1170,"lastAccess":"2026-01-01T23:59:49Z"},{"zone":"example.org.","name":"example.org.","type":"SOA","count":3,"total":9,"lastAccess":"2026-01-01T10:00:00Z"}],"next":null}""");
        var end = await Msctl.Run("hits", "ns1", "--from", "7d", "--to", "2026-01-02T00:00Z", "--zone", "example.org", "--type", "a", "--sort", "last", "--limit", "5");
        Assert.Equal(2, end.ExitCode);   // 7 days ago lies after the end that was given

        end = await Msctl.Run("hits", "ns1", "--from", "2026-01-01T00:00Z", "--to", "2026-01-02T00:00Z", "--zone", "example.org", "--type", "a", "--sort", "last", "--limit", "5");
        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal(
            """
            NAME              TYPE  ZONE          COUNT  TOTAL  LAST ACCESS
            www.example.org.  A     example.org.    117   1170  2026-01-01 23:59:49Z
            example.org.      SOA   example.org.      3      9  2026-01-01 10:00:00Z

            Coverage: 120 of 123 queries were seen with their name (97.6 %), from 2026-01-01 00:00:00Z to 2026-01-02 00:00:00Z.
            The collector is connected; last sample 2026-01-01 23:59:50Z.

            """,
            end.Out);
        Assert.Equal("?from=2026-01-01T00%3A00%3A00Z&to=2026-01-02T00%3A00%3A00Z&zone=example.org&type=A&sort=last&limit=5", Product.Requests.Single().Query);
    }

    [Fact]
    public async Task The_name_of_a_hosts_disk_moves_no_cursor()
    {
        Product.On("GET", "/api/v2/pvservers/ns1/metrics", """{"from":"2026-01-01T00:00:00Z","to":"2026-01-01T01:00:00Z","resolution":"hour","stepSeconds":3600,"series":[{"metric":"disk.used","label":"/\u001b[2J\nx","unit":"bytes","kind":"gauge","points":[{"at":"2026-01-01T00:00:00Z","value":1,"min":1,"max":1,"count":1}]}]}""");
        var end = await Msctl.Run("servers", "metrics", "ns1", "disk.used");
        Assert.Equal(0, end.ExitCode);
        Assert.DoesNotContain('\e', end.Out);
        Assert.Contains(@"/\x1b[2J\nx", end.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_show_their_course_with_its_gaps()
    {
        Product.On("GET", "/api/v2/pvservers/ns1/metrics", """{"from":"2026-01-01T00:00:00Z","to":"2026-01-01T04:00:00Z","resolution":"hour","stepSeconds":3600,"series":[{"metric":"disk.used","label":"/","unit":"bytes","kind":"gauge","points":[{"at":"2026-01-01T00:00:00Z","value":1048576,"min":1048576,"max":1048576,"count":120},{"at":"2026-01-01T01:00:00Z","value":null,"count":0},{"at":"2026-01-01T02:00:00Z","value":2097152,"min":1048576,"max":3145728,"count":60},{"at":"2026-01-01T03:00:00Z","value":1572864,"min":1572864,"max":1572864,"count":120}]},{"metric":"network.sent","label":"eth0","unit":"bytes","kind":"counter","points":[{"at":"2026-01-01T00:00:00Z","value":512,"increase":1843200,"count":120}]}]}""");
        var end = await Msctl.Run("servers", "metrics", "ns1", "disk.used{/}", "network.sent", "--since", "2026-01-01T00:00Z", "--to", "2026-01-01T04:00Z", "--points", "4");
        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal(
            """
            METRIC                 LAST      MIN     MEAN      MAX  COURSE
            disk.used{/}        1.5 MiB  1.0 MiB  1.5 MiB  3.0 MiB  ▁ █▄
            network.sent{eth0}  512 B/s  512 B/s  512 B/s  512 B/s  ▁

            From 2026-01-01 00:00:00Z to 2026-01-01 04:00:00Z, a value every 1 h 00 min.

            AT                    disk.used{/}      MIN      MAX
            2026-01-01 00:00:00Z       1.0 MiB  1.0 MiB  1.0 MiB
            2026-01-01 01:00:00Z             -
            2026-01-01 02:00:00Z       2.0 MiB  1.0 MiB  3.0 MiB
            2026-01-01 03:00:00Z       1.5 MiB  1.5 MiB  1.5 MiB

            AT                    network.sent{eth0}  MIN  MAX
            2026-01-01 00:00:00Z             512 B/s

            """,
            end.Out);
        Assert.Equal("?metric=disk.used%7B%2F%7D&metric=network.sent&from=2026-01-01T00%3A00%3A00Z&to=2026-01-01T04%3A00%3A00Z&points=4", Product.Requests.Single().Query);
    }

    [Fact]
    public async Task Metrics_come_as_CSV_and_what_does_not_says_so()
    {
        Product.On("GET", "/api/v2/pvservers/ns1/metrics", "metric,unit,at,value,min,max,increase,count\r\n\"load.1\",,2026-01-01T00:00:00Z,0.5,0.5,0.5,,1\r\n");
        var end = await Msctl.Run("servers", "metrics", "ns1", "-o", "csv");
        Assert.Equal((0, "metric,unit,at,value,min,max,increase,count\n\"load.1\",,2026-01-01T00:00:00Z,0.5,0.5,0.5,,1\n"), (end.ExitCode, end.Out));
        Assert.Equal("?points=32&format=csv", Product.Requests.Single().Query);

        end = await Msctl.Run("heartbeats", "ns1", "-o", "csv");
        Assert.Equal((2, 1), (end.ExitCode, Product.Requests.Count));
        Assert.Contains("no answer in CSV", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unasked_names_come_with_how_well_it_was_listened()
    {
        Product.On("GET", "/api/v2/pvservers/ns1/hits/unasked", """{"from":"2026-01-01T00:00:00Z","to":"2026-04-01T00:00:00Z","listened":{"since":"2026-02-01T00:00:00Z","time":0.655,"named":98,"queries":100,"share":0.98},"total":2,"unknown":["other.example."],"items":[{"zone":"example.org.","name":"never.example.org.","types":["A","TXT"],"lastAccess":null},{"zone":"example.org.","name":"old.example.org.","types":["A"],"lastAccess":"2025-12-01T10:00:00Z"}],"next":null}""");
        var end = await Msctl.Run("unasked", "ns1", "--days", "90", "--zone", "example.org");
        Assert.Equal(
            """
            NAME                TYPES  ZONE          LAST ACCESS
            never.example.org.  A TXT  example.org.  never seen
            old.example.org.    A      example.org.  2025-12-01 10:00:00Z

            2 names not asked for from 2026-01-01 00:00:00Z to 2026-04-01 00:00:00Z.
            Listened since 2026-02-01 00:00:00Z, 65.5 % of the period; 98 of 100 queries were seen with their name (98 %).
            Not looked at, because their contents are other servers': other.example.

            """,
            end.Out);
        Assert.Equal("?days=90&zone=example.org", Product.Requests.Single().Query);
    }

    [Fact]
    public async Task Subnets_and_leases_are_shown_with_what_an_operator_has_to_know()
    {
        Product.On("GET", "/api/v2/pvservers/ns1/dhcp/subnets", """{"items":[{"subnet":"192.0.2.0/24","total":200,"assigned":190,"declined":1,"share":0.95,"at":"2026-01-01T00:00:00Z","perDay":2.5,"fullAt":"2026-01-05T00:00:00Z"},{"subnet":"198.51.100.0/24","total":0,"assigned":3,"declined":0,"share":null,"at":"2026-01-01T00:00:00Z","perDay":null,"fullAt":null}],"next":null}""");
        Product.On("GET", "/api/v2/pvservers/ns1/dhcp/leases", """{"items":[{"address":"192.0.2.7","hardwareAddress":"02:4d:53:00:00:07","hostName":"a\u001b[31mb","subnet":1,"state":"assigned","expiresAt":"2026-01-01T00:10:00Z"}],"next":"192.0.2.7"}""");

        var end = await Msctl.Run("dhcp", "subnets", "ns1");
        Assert.Equal(
            """
            SUBNET           USED  ASSIGNED  ADDRESSES  DECLINED  A DAY  FULL        AT
            192.0.2.0/24     95 %       190        200         1   +2.5  2026-01-05  2026-01-01 00:00:00Z
            198.51.100.0/24               3          0         0                     2026-01-01 00:00:00Z

            """,
            end.Out);

        end = await Msctl.Run("dhcp", "leases", "ns1", "--limit", "1");
        Assert.StartsWith("ADDRESS    HARDWARE           STATE     EXPIRES               HOST NAME\n192.0.2.7  02:4d:53:00:00:07  assigned  2026-01-01 00:10:00Z  a", end.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', end.Out);
        Assert.Contains("There may be more leases: --after 192.0.2.7", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Heartbeats_say_how_many_came_of_those_that_were_due()
    {
        Product.On("GET", "/api/v2/pvservers/ns1/heartbeats", """{"summary":{"due":4,"received":4,"status":"healthy","lastAt":"2026-01-01T00:00:30Z","total":2},"items":[{"seq":2,"sentAt":"2026-01-01T00:00:30Z","receivedAt":"2026-01-01T00:00:31Z","late":false,"uptimeSeconds":93784,"load":[0.1,0.25,1],"memory":{"totalBytes":2147483648,"availableBytes":1610612736},"docker":{"state":"running","version":"20.10.24"}},{"seq":1,"sentAt":"2026-01-01T00:00:00Z","receivedAt":"2026-01-01T00:00:31Z","late":true,"docker":{"state":"stopped"}}],"next":7}""");
        var end = await Msctl.Run("heartbeats", "ns1", "--limit", "2");
        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal("2026-01-01 00:00:30Z  2026-01-01 00:00:31Z        1 d 2 h  0.10 0.25 1.00      1.5 GiB  running 20.10.24", end.Lines[1]);
        Assert.Contains("late", end.Lines[2], StringComparison.Ordinal);
        Assert.StartsWith("4 of 4 due beats came, healthy; last ", end.Lines[^1], StringComparison.Ordinal);
        Assert.EndsWith("2 beats in all.", end.Lines[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("24h", "2026-03-09T12:00:00Z")]
    [InlineData("7d", "2026-03-03T12:00:00Z")]
    [InlineData("90m", "2026-03-10T10:30:00Z")]
    [InlineData("1.5h", "2026-03-10T10:30:00Z")]
    [InlineData("now", "2026-03-10T12:00:00Z")]
    [InlineData("2026-01-31", "2026-01-31T00:00:00Z")]
    [InlineData("2026-01-31T08:00+02:00", "2026-01-31T06:00:00Z")]
    [InlineData("2026-01-31T08:00", "2026-01-31T08:00:00Z")]
    [InlineData("yesterday", null)]
    [InlineData("-5h", null)]
    [InlineData("9999999999d", null)]
    [InlineData("12", null)]
    [InlineData("", null)]
    public void A_time_is_an_ISO_time_or_how_long_ago(string text, string? expected) =>
        Assert.Equal(expected is null ? null : DateTimeOffset.Parse(expected, null), Moment.Parse(text, DateTimeOffset.Parse("2026-03-10T12:00:00Z", null)));
}
