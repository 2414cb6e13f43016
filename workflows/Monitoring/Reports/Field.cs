using System.Runtime.CompilerServices;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>The name of a field, put together only where its rule is broken: a report has dozens of fields, and nearly always all of them are right.</summary>
[InterpolatedStringHandler]
internal ref struct Field
{
    private DefaultInterpolatedStringHandler name;

    public Field(int literals, int holes, bool holds, out bool broken)
    {
        broken = !holds;
        name = broken ? new DefaultInterpolatedStringHandler(literals, holes) : default;
    }

    public Field(int literals, int holes, long? amount, out bool broken) : this(literals, holes, Refusals.IsAmount(amount), out broken)
    {
    }

    public Field(int literals, int holes, double? number, double most, out bool broken) : this(literals, holes, Refusals.IsNumber(number, most), out broken)
    {
    }

    public Field(int literals, int holes, string? text, int most, out bool broken) : this(literals, holes, Refusals.IsText(text, most), out broken)
    {
    }

    public void AppendLiteral(string literal) => name.AppendLiteral(literal);

    public void AppendFormatted<T>(T value) => name.AppendFormatted(value);

    public string Name() => name.ToStringAndClear();
}
