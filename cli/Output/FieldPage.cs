namespace ManagedServers.Cli.Output;

/// <summary>Names and values under each other; fields without a value are left out.</summary>
internal sealed class FieldPage(Screen screen)
{
    private readonly List<(string Name, string Value, Tone Tone)> fields = [];

    public void Field(string name, string? value, Tone tone = Tone.Plain)
    {
        if (!string.IsNullOrWhiteSpace(value))
        {
            fields.Add((name, SafeText.Line(value), tone));
        }
    }

    public void Write()
    {
        var width = fields.Max(f => f.Name.Length);
        foreach (var (name, value, tone) in fields)
        {
            screen.Line($"{screen.Paint(name.PadRight(width), Tone.Quiet)}  {screen.Paint(value, tone)}");
        }
    }
}
