using System.Text;

namespace Quarters.Sources.Intake;

/// <summary>Reads the files that an operator keeps beside a source: a list of names, a packager map.</summary>
internal static class OperatorFile
{
    /// <summary>The text of a file.</summary>
    /// <param name="what">What it is to its reader, as it begins a sentence: <c>The list</c>.</param>
    /// <param name="path">Where it is.</param>
    /// <param name="maxBytes">The most that is read.</param>
    /// <exception cref="SourceUnreachableException">It is not there, or too large.</exception>
    internal static string Read(string what, string path, int maxBytes)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var text = new MemoryStream();
            var buffer = new byte[64 << 10];
            // What it says of its length may be wrong by the time that it is read.
            while (file.Read(buffer) is > 0 and var count)
            {
                if (text.Length + count > maxBytes)
                    throw new SourceUnreachableException(
                        $"{what} {path} has more than {maxBytes} bytes, which are not read.");
                text.Write(buffer, 0, count);
            }

            return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length).TrimStart('\uFEFF');
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SourceUnreachableException($"{what} {path} cannot be read: {failure.Message}");
        }
    }
}
