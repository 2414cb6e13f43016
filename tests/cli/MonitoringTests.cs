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

        end = await Msctl.Run("hits", "ns1", "-o", "csv");
        Assert.Equal((2, 1), (end.ExitCode, Product.Requests.Count));
        Assert.Contains("no answer in CSV", end.Error, StringComparison.Ordinal);
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
