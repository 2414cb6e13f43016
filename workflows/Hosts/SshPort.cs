using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;

namespace ManagedServers.Workflows.Hosts;

/// <summary>A TCP port from 1 to 65535.</summary>
[JsonConverter(typeof(ParsedJsonConverter<SshPort>))]
public sealed record SshPort : IParsed<SshPort>
{
    private SshPort(int number) => Number = number;

    public static SshPort Default { get; } = new(22);

    public int Number { get; }

    public string Text => Number.ToString(CultureInfo.InvariantCulture);

    public static bool TryParse(string? text, [NotNullWhen(true)] out SshPort? value, [NotNullWhen(false)] out string? brokenRule)
    {
        var valid = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 65535;
        value = valid ? new SshPort(number) : null;
        brokenRule = valid ? null : "must be a number from 1 to 65535";
        return valid;
    }

    public static SshPort Parse(int number) =>
        TryParse(number.ToString(CultureInfo.InvariantCulture), out var port, out var rule) ? port : throw new FormatException($"The port {rule}.");

    public override string ToString() => Text;
}
