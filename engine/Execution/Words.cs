using System.Globalization;

namespace ManagedServers.Engine;

/// <summary>Times and errors as operators read them.</summary>
internal static class Words
{
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
        { TotalSeconds: < 120 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s"),
        { TotalMinutes: < 120 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0.#} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.#} h"),
    };

    /// <summary>The messages of an exception and of what caused it, each once.</summary>
    public static string Of(Exception fault)
    {
        var messages = new List<string>();
        for (var e = fault; e is not null && messages.Count < 5; e = e.InnerException)
        {
            var message = Message(e);
            if (!messages.Any(m => m.Contains(message, StringComparison.Ordinal)))
            {
                messages.Add(message);
            }
        }

        var said = string.Join(" / ", messages);
        // A message such as "Object reference not set…" says nothing without its type.
        return fault is NullReferenceException or InvalidCastException or KeyNotFoundException or ArgumentException ? $"{fault.GetType().Name}: {said}" : said;
    }

    private static string Message(Exception fault)
    {
        try
        {
            return string.IsNullOrWhiteSpace(fault.Message) ? fault.GetType().Name : fault.Message.Trim();
        }
        catch (Exception)
        {
            return $"{fault.GetType().Name}, which cannot say its message"; // it is somebody else's code
        }
    }
}
