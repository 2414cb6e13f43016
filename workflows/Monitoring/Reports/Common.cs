namespace ManagedServers.Workflows.Monitoring;

/// <summary>Rules of both kinds of report.</summary>
internal static class Common
{
    public static byte[] Epoch(string? text, Refusals refusals)
    {
        var right = text is { Length: 32 } && text.All(char.IsAsciiHexDigit);
        refusals.Require(right, "epoch", "32 hexadecimal digits, chosen at random once per spool.");
        return right ? Convert.FromHexString(text!) : [];
    }

    // JSON's whole numbers are exact up to 2^53.
    public static void Seq(long? seq, string path, Refusals refusals) =>
        refusals.Require(seq is >= 1 and <= 1L << 53, $"{path}.seq", "A whole number from 1 to 2^53, one more for each record.");
}
