using System.Globalization;
using System.Text;
using System.Text.Json;
using ManagedServers.Cli.Output;
using ManagedServers.Tests;

namespace ManagedServers.Cli.Tests;

/// <summary>Whatever others have written moves no cursor and changes no title.</summary>
public sealed class FuzzTests
{
    private static readonly JsonSerializerOptions AsItIs = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public void No_text_is_obeyed_by_a_terminal_and_json_keeps_its_value()
    {
        var nasty = new Nasty();
        for (var n = 0; n < Nasty.Of(10_000); n++)
        {
            var text = nasty.Text();
            var seed = $"{JsonSerializer.Serialize(text)} with seed {nasty.Seed}";
            Assert.True(SafeText.Line(text).EnumerateRunes().All(IsVisible), seed);
            Assert.All(SafeText.Lines(text), line => Assert.True(line.EnumerateRunes().All(IsVisible), seed));
            var json = SafeText.Json(JsonSerializer.Serialize(text, AsItIs));
            Assert.True(json.EnumerateRunes().All(IsVisible), seed);
            Assert.Equal(text, JsonSerializer.Deserialize<string>(json));
        }
    }

    private static bool IsVisible(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
