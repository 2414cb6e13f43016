using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Monitoring;

public sealed class PackingTests
{
    private static readonly DateTimeOffset Hour = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Every_kind_of_column_comes_back_as_it_was()
    {
        var random = new Random(7);
        for (var round = 0; round < 2000; round++)
        {
            var rows = random.Next(150);
            long?[][] columns = [Column(random, rows, random.Next(8)), Column(random, rows, random.Next(8)), Column(random, rows, random.Next(8))];
            string?[] texts = [.. Enumerable.Range(0, rows).Select(_ => random.Next(5) == 0 ? null : "äé€😀\0"[..random.Next(4)])];
            var writer = new PackWriter();
            Array.ForEach(columns, writer.Column);
            writer.Texts(texts);

            var reader = new PackReader(writer.Compressed());
            Assert.All(columns, column => Assert.Equal(column, reader.Column(rows)));
            Assert.Equal(texts, reader.Texts(rows));
            Assert.True(reader.End);
        }
    }

    [Fact]
    public void Beats_of_every_kind_come_back_as_they_were()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var beats = Beats(seed);
            Assert.Equal(Json(beats), Json(PackedBeats.Unpack(PackedBeats.Pack(beats))));
        }
    }

    [Fact]
    public void Rolled_up_values_come_back_as_they_were_and_add_up_to_the_same_in_any_parts()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var beats = Beats(seed);
            var minutes = Rollups.Minutes(beats);
            var unpacked = Rollups.Unpack(Level.Minute, minutes.Pack());
            Assert.Equal(minutes.Series.Keys, unpacked.Series.Keys);
            Assert.All(minutes.Series, s => Assert.Equal(s.Value, unpacked.Series[s.Key]));

            foreach (var (key, whole) in minutes.Whole())
            {
                var kind = MetricCatalogue.Find(key.Metric)!.Kind;
                var values = beats.SelectMany(BeatValues.Of).Where(v => v.Key == key).Select(v => v.Value).ToList();
                Assert.Equal(values.Count, whole.Count);
                Assert.Equal(kind == MetricKind.Gauge ? values.Min() : values[0], whole.Low);
                Assert.Equal(kind == MetricKind.Gauge ? values.Max() : values[^1], whole.High);
                Assert.Equal(kind == MetricKind.Gauge ? values.Aggregate((Int128)0, (sum, v) => sum + v)
                    : values.Zip(values.Skip(1)).Aggregate((Int128)0, (sum, v) => sum + Rollup.Growth(v.First, v.Second)), whole.Total);
            }
        }
    }

    [Fact]
    public void What_is_none_is_said_to_be_none()
    {
        Assert.Throws<InvalidDataException>(() => PackedBeats.Unpack([1, 2]));
        Assert.Throws<InvalidDataException>(() => PackedBeats.Unpack([9, 0, 0, 0, 1, 2, 3]));
        var newer = new PackWriter();
        newer.Number(99);
        Assert.Contains("newer version", Assert.Throws<InvalidDataException>(() => PackedBeats.Unpack(newer.Compressed())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_two_metrics_share_a_number_and_none_changes_its_own()
    {
        Assert.Equal(Enumerable.Range(1, 48), MetricCatalogue.All.Select(m => m.Number));
        Assert.Equal((2, 12, 14, 22, 33, 40, 48), (Number("load.1"), Number("cpu.steal"), Number("memory.available"), Number("disk.used"), Number("connections.tcp.close"), Number("network.sent"), Number("dhcp.addresses.declined")));
    }

    private static int Number(string name) => MetricCatalogue.Find(name)!.Number;

    private static List<StoredHeartbeat> Beats(int seed)
    {
        var random = new RandomBeats(seed);
        return [.. Enumerable.Range(0, 1 + seed % 120).Select(i => random.Any(i + 1, Hour.AddMilliseconds(i * 29_977)))];
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, EngineJson.Options);

    private static long?[] Column(Random random, int rows, int kind)
    {
        var sum = random.NextInt64();
        return [.. Enumerable.Range(0, rows).Select(i => kind switch
        {
            0 => 42,
            1 => sum += random.Next(1000),
            2 => 4096L * random.Next(1000),
            3 => random.NextInt64(long.MinValue, long.MaxValue),
            4 => i % 2 == 0 ? long.MinValue : long.MaxValue,
            5 => random.Next(3) == 0 ? null : random.Next(10),
            6 => (long?)null,
            _ => i * 30_000L + random.Next(5),
        })];
    }
}
