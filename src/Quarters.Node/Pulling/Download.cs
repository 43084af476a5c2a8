using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Quarters.Linux.Files;

namespace Quarters.Node;

/// <summary>One file on its way: what is there of it, and the hash of that.</summary>
internal sealed class Download : IDisposable
{
    private const string PartSuffix = ".part";
    private const int BlockBytes = 128 * 1024;

    private readonly Puller puller;
    private readonly Uri url;
    private readonly string path;
    private readonly string sha256;
    private readonly long maxBytes;
    private readonly FileStream part;
    private readonly byte[] block = new byte[BlockBytes];
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private EntityTagHeaderValue? tag;

    private Download(Puller puller, Uri url, string path, string sha256, long maxBytes)
    {
        this.puller = puller;
        this.url = url;
        this.path = path;
        this.sha256 = sha256;
        this.maxBytes = maxBytes;
        part = new FileStream(path + PartSuffix, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None,
            bufferSize: 0);
    }

    /// <summary>How many bytes are there.</summary>
    internal long Have { get; private set; }

    internal static async Task<Download> OpenAsync(Puller puller, Uri url, string path, string sha256, long maxBytes,
        CancellationToken cancellationToken)
    {
        var download = new Download(puller, url, path, sha256, maxBytes);
        try
        {
            while (await download.part.ReadAsync(download.block, cancellationToken) is > 0 and var read)
            {
                download.hash.AppendData(download.block, 0, read);
                download.Have += read;
            }

            if (download.Have > maxBytes)
                download.Restart();
            return download;
        }
        catch
        {
            download.Dispose();
            throw;
        }
    }

    /// <summary>Asks for what is missing. Null when all is there and right.</summary>
    internal async Task<PullFailure?> AttemptAsync(CancellationToken cancellationToken)
    {
        if (Have > 0 && IsRight())
            return null;
        var resumed = Have > 0;
        using var deadline = puller.NewDeadline(cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            (response, _) = await puller.SendAsync(Question, deadline);
            resumed &= Continues(response);
            using var body = new CountingStream(await response.Content.ReadAsStreamAsync(deadline.Token), deadline);
            while (await body.ReadAsync(block, deadline.Token) is > 0 and var read)
            {
                if (Have + read > maxBytes)
                    return Puller.TooLarge(url, maxBytes);
                Keep(read);
            }
        }
        catch (Exception e) when (e is not LocalDiskException && Puller.FailureOf(e, url, deadline) is { } failure)
        {
            return failure;
        }
        finally
        {
            response?.Dispose();
        }

        if (IsRight())
            return null;
        var found = Convert.ToHexStringLower(hash.GetCurrentHash());
        Restart();

        // What was kept from before may have been another file's beginning: from the start it may be right.
        return new PullFailure(PullFailureKind.BadContent, $"{url} has the SHA-256 {found} instead of {sha256}",
            IsPassing: resumed);
    }

    /// <summary>Gives the file its name.</summary>
    internal void Finish()
    {
        part.Flush(flushToDisk: true);
        LinuxDisk.Instance.Rename(path + PartSuffix, path);
        LinuxDisk.Instance.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Forgets what came.</summary>
    internal void Discard() => File.Delete(path + PartSuffix);

    public void Dispose()
    {
        part.Dispose();
        hash.Dispose();
    }

    private HttpRequestMessage Question()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.AcceptEncoding.ParseAdd(ContentCoding.Identity);
        if (Have == 0)
            return request;
        request.Headers.Range = new RangeHeaderValue(Have, null);

        // Without a tag (after a restart) the hash alone decides whether the parts belong together.
        if (tag is { IsWeak: false })
            request.Headers.IfRange = new RangeConditionHeaderValue(tag);
        return request;
    }

    /// <summary>Whether the answer goes on where the part ends; otherwise it begins anew.</summary>
    private bool Continues(HttpResponseMessage response)
    {
        var range = response.Content.Headers.ContentRange;
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            Restart();
            throw new PullException(
                new PullFailure(PullFailureKind.Status, $"{url} is shorter than what came of it before", true)
                {
                    Status = 416,
                });
        }

        var whole = response.StatusCode != HttpStatusCode.PartialContent;
        if (whole)
            Puller.CheckStatus(url, response, HttpStatusCode.OK);
        var misplaced = !whole && range?.From != Have;
        if (whole || misplaced)
            Restart();
        if (misplaced)
            throw new PullException(
                new PullFailure(PullFailureKind.BadContent, $"{url} answered another part than was asked for", true));
        if (response.Content.Headers.ContentEncoding.Count > 0)
            throw new PullException(
                new PullFailure(PullFailureKind.BadContent, $"{url} is encoded, which was not asked for", false));
        if ((whole ? response.Content.Headers.ContentLength : range?.Length) > maxBytes)
            throw new PullException(Puller.TooLarge(url, maxBytes));
        tag = response.Headers.ETag;
        return !whole;
    }

    private void Keep(int count)
    {
        try
        {
            part.Write(block, 0, count);
        }
        catch (IOException e)
        {
            throw new LocalDiskException($"{path}{PartSuffix} cannot be written: {e.Message}", e);
        }

        hash.AppendData(block, 0, count);
        Have += count;
    }

    private bool IsRight() => Convert.ToHexStringLower(hash.GetCurrentHash()) == sha256;

    private void Restart()
    {
        part.SetLength(0);
        part.Position = 0;
        hash.GetHashAndReset();
        Have = 0;
        tag = null;
    }
}

/// <summary>Our own disk refused: not the peer's failure, and no reason to ask it again.</summary>
internal sealed class LocalDiskException(string message, IOException inner) : IOException(message, inner);
