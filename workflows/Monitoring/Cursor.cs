using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Where a page ended: the value that the list is sorted by, and a number that tells equal ones apart. Opaque to callers.</summary>
internal sealed record Cursor(string Sort, string Value, long Id)
{
    public override string ToString() => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Sort} {Id} {Value}")));

    /// <exception cref="InvalidInputException">It is none, or one of a list that is sorted otherwise.</exception>
    public static Cursor? Parse(string? text, string sort, string field)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        try
        {
            var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split(' ', 3);
            if (parts.Length == 3 && parts[0] == sort && long.TryParse(parts[1], CultureInfo.InvariantCulture, out var id) && !parts[2].Contains('\0'))
            {
                return new Cursor(sort, parts[2], id);
            }
        }
        catch (FormatException)
        {
        }

        throw Refusal(field);
    }

    /// <summary>The value of a list sorted by a number or by ticks.</summary>
    public long Number(string field) => long.TryParse(Value, CultureInfo.InvariantCulture, out var number) ? number : throw Refusal(field);

    public DateTime Time(string field) => Number(field) is var ticks and >= 0 && ticks <= DateTime.MaxValue.Ticks
        ? new DateTime(ticks, DateTimeKind.Utc)
        : throw Refusal(field);

    private static InvalidInputException Refusal(string field) => new(field, "Take the value of next from the page before, with the same sort.");
}
