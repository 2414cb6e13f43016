using System.Globalization;

namespace ManagedServers.Tests;

/// <summary>
/// Texts that want to be more than a value: to a shell, in a configuration file, on a terminal. The default suite takes always the same ones;
/// `./run test matrix` takes ten times as many from a new seed, and MANAGED_SERVERS_SEED repeats one.
/// </summary>
internal sealed class Nasty
{
    private static readonly string[] Pieces =
    [
        "'", "\"", "\\", "`", "$", "$(touch canary)", "`touch canary`", "${IFS}", "$((1+1))", ";touch canary;", "|touch canary", "&touch canary&", "&&", "||", ">canary", "<canary", "\n", "\r", "\r\n", "\t", " ", "  ",
        "\ntouch canary\n", "'; touch canary; '", "\"; touch canary; \"", "\\'", "\\\"", "'\\''", "!!", "!$", "^a^b", "~", "~root", "*", "?", "[a-z]", "{a,b}", "(", ")", "#", "# comment", "--", "-e", "-rf", "%s", "%n", "\\0101", "\\c", "\\n",
        "\u0001", "\u0007", "\u001b[2J", "\u001b]0;title\u0007", "\u007f", "\u0085", "\u009b31m", "\u00a0", "\u200b", "\u202e", "\u2028", "\u2066", "\ufeff", "é", "ß", "日本", "🎉", "a", "Z", "0", "-", "_", ".", "..", "/", "/etc/passwd", "../", ":", "@", "=", ",", "%", "+",
        "$INCLUDE /etc/passwd", "<?include \"/etc/passwd\"?>", "include: \"/etc/passwd\"", "\n  - domain: evil.\n", "\nserver:\n", "]}", "\"}]", "/*", "*/", "//", "{{", "}}", "{{.Id}}", "&amp;", "<script>", "exec ", "eval ", "managed-servers-test 1",
    ];

    private readonly Random random;

    public Nasty()
    {
        Seed = int.TryParse(Environment.GetEnvironmentVariable("MANAGED_SERVERS_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : Full ? Random.Shared.Next() : 20_260_101;
        random = new Random(Seed);
    }

    public static bool Full { get; } = Environment.GetEnvironmentVariable("MANAGED_SERVERS_MATRIX") == "full";

    public int Seed { get; }

    public static int Of(int cases) => Full ? 10 * cases : cases;

    public string Text(int mostPieces = 8) => string.Concat(Enumerable.Range(0, random.Next(mostPieces + 1)).Select(_ => Piece()));

    /// <summary>A good one, with something in it that does not belong there, or not.</summary>
    public string Spoiled(string good)
    {
        var text = good;
        for (var n = random.Next(3); n > 0; n--)
        {
            var at = random.Next(text.Length + 1);
            // Half of a pair is no text, and is refused elsewhere.
            text = text.Insert(at > 0 && at < text.Length && char.IsLowSurrogate(text[at]) ? at - 1 : at, Piece());
        }

        return text;
    }

    public T OneOf<T>(params T[] all) => all[random.Next(all.Length)];

    public int Number(int most) => random.Next(most);

    private string Piece() => random.Next(8) == 0 ? ((char)random.Next(1, 0x250)).ToString() : Pieces[random.Next(Pieces.Length)];
}
