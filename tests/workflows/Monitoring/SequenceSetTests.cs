using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Monitoring;

public sealed class SequenceSetTests
{
    [Fact]
    public void Any_order_ends_in_one_range_and_tells_each_number_once()
    {
        var random = new Random(7);
        var numbers = Enumerable.Range(1, 80).Select(i => (long)i).ToArray();
        random.Shuffle(numbers);
        var set = SequenceSet.Parse("{}");

        Assert.All(numbers, n => Assert.True(set.Add(n)));
        Assert.All(numbers, n => Assert.False(set.Add(n)));
        Assert.Equal("{[1,81)}", set.ToString());
        Assert.Equal(set.ToString(), SequenceSet.Parse(set.ToString()).ToString());
    }

    [Fact]
    public void Too_many_holes_are_given_up_from_the_oldest_and_counted_as_lost()
    {
        var set = SequenceSet.Parse("{}");
        for (var n = 1; n <= 1000; n += 2)
        {
            Assert.True(set.Add(n));
        }

        Assert.Equal(400, set.Lost);
        Assert.False(set.Add(2));
        Assert.True(set.Add(998));
    }
}
