namespace ManagedServers.Api.Hosting;

/// <summary>Files for their owner's eyes: mode 0600 from the first byte on, replaced whole.</summary>
internal static class PrivateFile
{
    public static async Task Write(string path, string text, CancellationToken cancellationToken)
    {
        var aside = path + ".new";
        File.Delete(aside);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        await using (var stream = new FileStream(aside, options))
        {
            await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), cancellationToken);
            stream.Flush(flushToDisk: true);
        }

        File.Move(aside, path, overwrite: true);
    }
}
