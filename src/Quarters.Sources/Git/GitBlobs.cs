using System.Globalization;
using System.Text;
using Quarters.Linux.Processes;

namespace Quarters.Sources.Git;

/// <summary>One question for contents. git is started before it is known which ones are wanted, beside what finds that
/// out, and waits.</summary>
internal sealed class GitBlobs : IDisposable
{
    private const int MaxHeaderBytes = 128;
    private const long MaxHeadersBytes = 1L << 20;

    private readonly CancellationTokenSource _end;
    private readonly TaskCompletionSource<ReadOnlyMemory<byte>> _question =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Task<ProcessResult> _running;
    private readonly GitCommands _git;
    private readonly long _maxBytes;

    /// <summary>Starts git.</summary>
    /// <param name="git">How git is run.</param>
    /// <param name="maxBytes">How many bytes all contents together may have.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal GitBlobs(GitCommands git, long maxBytes, CancellationToken cancellationToken)
    {
        _git = git;
        _maxBytes = maxBytes;
        _end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _running = ProcessRunner.RunAsync(
            git.Spec(["cat-file", "--batch"]) with
            {
                InputLater = _question.Task,
                MaxOutputBytes = maxBytes + MaxHeadersBytes,
            },
            _end.Token);
    }

    /// <summary>Ends it, if it has not ended yet.</summary>
    public void Dispose()
    {
        _end.Cancel();
        _end.Dispose();
    }

    /// <summary>The contents, in the order asked for; null when they are too many or too large.</summary>
    /// <exception cref="IOException">git failed, or answered something else.</exception>
    internal async Task<List<ReadOnlyMemory<byte>>?> ReadAsync(IReadOnlyList<string> blobs)
    {
        if (blobs.Count > MaxHeadersBytes / MaxHeaderBytes)
            return null;
        _question.SetResult(Encoding.ASCII.GetBytes(string.Concat(blobs.Select(blob => blob + "\n"))));
        var result = await _running;
        if (result.OutputExceeded)
            return null;
        _git.Check(result, "cat-file");
        var contents = new List<ReadOnlyMemory<byte>>(blobs.Count);
        var rest = result.OutputBytes;
        var all = 0L;
        foreach (var blob in blobs)
        {
            var line = rest.Span.IndexOf((byte)'\n');
            var header = line < 0 ? "" : Encoding.ASCII.GetString(rest.Span[..line]);
            if (!header.StartsWith(blob + " blob ", StringComparison.Ordinal)
                || !int.TryParse(header.AsSpan(blob.Length + 6), CultureInfo.InvariantCulture, out var size)
                || size < 0 || rest.Length < line + 2 + size)
                throw new IOException($"git cat-file in {_git.Folder} answered '{header}' for {blob}.");
            contents.Add(rest.Slice(line + 1, size));
            rest = rest[(line + 1 + size + 1)..];
            all += size;
        }

        return all <= _maxBytes ? contents : null;
    }
}
