using System.Text;
using ManagedServers.Workflows.Settings;
using Serilog;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;
using Serilog.Formatting.Json;
using Serilog.Sinks.File;

namespace ManagedServers.Api.Hosting;

/// <summary>The product's own log: lines for people on the console, JSON in files of a day each. Secrets are taken out of both.</summary>
internal static class Logs
{
    private const int DaysKept = 14;
    private const long LargestFile = 100L * 1024 * 1024;
    private const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static void Configure(WebApplicationBuilder builder, string dataFolder) => builder.Services.AddSerilog((services, logger) =>
    {
        var folder = Directory.CreateDirectory(Path.Combine(dataFolder, "logs")).FullName;
        File.SetUnixFileMode(folder, OwnersAlone | UnixFileMode.UserExecute);
        var redactor = services.GetRequiredService<SecretRedactor>();
        logger.MinimumLevel.Information()
            // A start that fails is told once, in one sentence, by the command.
            .Filter.ByExcluding(e => e.MessageTemplate.Text == "Hosting failed to start")
            .MinimumLevel.Override("Microsoft.AspNetCore", LogEventLevel.Warning)
            .MinimumLevel.Override("Microsoft.Extensions.Http", LogEventLevel.Warning)
            .MinimumLevel.Override("ManagedServers.Api.Authentication", LogEventLevel.Warning)
            .MinimumLevel.Override("Hangfire", LogEventLevel.Warning)
            .WriteTo.Console(new Redacting(new MessageTemplateTextFormatter("{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}"), redactor))
            .WriteTo.File(new Redacting(new JsonFormatter(renderMessage: true), redactor), Path.Combine(folder, "product-.json"),
                rollingInterval: RollingInterval.Day, retainedFileCountLimit: DaysKept, fileSizeLimitBytes: LargestFile, rollOnFileSizeLimit: true, hooks: new Private());
    });

    private sealed class Private : FileLifecycleHooks
    {
        public override Stream OnFileOpened(string path, Stream underlyingStream, Encoding encoding)
        {
            File.SetUnixFileMode(path, OwnersAlone);
            return underlyingStream;
        }
    }

    private sealed class Redacting(ITextFormatter inner, SecretRedactor redactor) : ITextFormatter
    {
        public void Format(LogEvent logEvent, TextWriter output)
        {
            using var text = new StringWriter();
            inner.Format(logEvent, text);
            output.Write(redactor.Redact(text.ToString()));
        }
    }
}
