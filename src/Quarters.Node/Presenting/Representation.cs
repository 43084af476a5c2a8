using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Win32.SafeHandles;

namespace Quarters.Node;

/// <summary>What one answer can show: a body and what is said about it.</summary>
internal sealed record Representation
{
    internal required Body Body { get; init; }

    internal required string ContentType { get; init; }

    internal required string CacheControl { get; init; }

    internal string? ContentEncoding { get; init; }

    /// <summary>A strong entity tag, without its quotes. Null for what grows.</summary>
    internal string? Tag { get; init; }

    internal DateTimeOffset? Modified { get; init; }

    internal bool VariesByCoding { get; init; }

    /// <summary>Readers may wait for the next version: an answer to one that waits is none for the others.</summary>
    internal bool IsWaitedFor { get; init; }

    internal bool TakesRanges { get; init; }

    internal int Status { get; init; } = StatusCodes.Status200OK;
}

/// <summary>What <c>Cache-Control</c> says. Caches between a node and its readers are welcome; what each may do is in
/// docs/reference/protocol.md.</summary>
internal static class CacheControls
{
    /// <summary>May be kept, and must be asked about before each use: what grows.</summary>
    internal const string Revalidate = "no-cache";

    /// <summary>A document: many readers in a second cost as much as one, and none sees it much later.</summary>
    internal const string Document = "public, max-age=1";

    /// <summary>A database of a repository: pacman may have one of a minute ago, and yesterday's rather than
    /// none.</summary>
    internal const string Database = "public, max-age=5, stale-while-revalidate=60, stale-if-error=86400";

    /// <summary>Will be the same for ever.</summary>
    internal const string Immutable = "public, max-age=31536000, immutable";
}

/// <summary>The bytes of a representation.</summary>
internal abstract class Body : IDisposable
{
    internal abstract long Length { get; }

    internal abstract Task WriteAsync(HttpResponse response, long offset, long count,
        CancellationToken cancellationToken);

    public abstract void Dispose();
}

internal sealed class MemoryBody(ReadOnlyMemory<byte> bytes) : Body
{
    internal override long Length => bytes.Length;

    internal override async Task WriteAsync(HttpResponse response, long offset, long count,
        CancellationToken cancellationToken) =>
        await response.Body.WriteAsync(bytes.Slice((int)offset, (int)count), cancellationToken);

    public override void Dispose()
    {
        // Memory needs no closing.
    }
}

/// <summary>A file, up to the length that it had when the answer began.</summary>
internal sealed class FileBody(SafeFileHandle handle, long length) : Body
{
    private const int BlockBytes = 128 * 1024;

    internal override long Length => length;

    internal override async Task WriteAsync(HttpResponse response, long offset, long count,
        CancellationToken cancellationToken)
    {
        var block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            while (count > 0)
            {
                var wanted = block.AsMemory(0, (int)Math.Min(BlockBytes, count));
                var read = await RandomAccess.ReadAsync(handle, wanted, offset, cancellationToken);
                if (read == 0)
                {
                    // Somebody cut the file: the promised length cannot be kept, and the reader must notice.
                    response.HttpContext.Abort();
                    return;
                }

                await response.Body.WriteAsync(block.AsMemory(0, read), cancellationToken);
                offset += read;
                count -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    public override void Dispose() => handle.Dispose();
}
