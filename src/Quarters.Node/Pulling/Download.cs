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

    private readonly Puller _puller;
    private readonly Uri _url;
    private readonly string _path;
    private readonly string _sha256;
    private readonly long _maxBytes;
    private readonly FileStream _part;
    private readonly byte[] _block = new byte[BlockBytes];
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private EntityTagHeaderValue? _tag;

    private Download(Puller puller, Uri url, string path, string sha256, long maxBytes)
    {
        _puller = puller;
        _url = url;
        _path = path;
        _sha256 = sha256;
        _maxBytes = maxBytes;
        _part = new FileStream(path + PartSuffix, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None,
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
            while (await download._part.ReadAsync(download._block, cancellationToken) is > 0 and var read)
            {
                download._hash.AppendData(download._block, 0, read);
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
        using var deadline = _puller.NewDeadline(cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            (response, _) = await _puller.SendAsync(Question, deadline);
            resumed &= Continues(response);
            using var body = new CountingStream(await response.Content.ReadAsStreamAsync(deadline.Token), deadline);
            while (await body.ReadAsync(_block, deadline.Token) is > 0 and var read)
            {
                if (Have + read > _maxBytes)
                    return Puller.TooLarge(_url, _maxBytes);
                Keep(read);
            }
        }
        catch (Exception e) when (e is not LocalDiskException && Puller.FailureOf(e, _url, deadline) is { } failure)
        {
            return failure;
        }
        finally
        {
            response?.Dispose();
        }

        if (IsRight())
            return null;
        var found = Convert.ToHexStringLower(_hash.GetCurrentHash());
        Restart();

        // What was kept from before may have been another file's beginning: from the start it may be right.
        return new PullFailure(PullFailureKind.BadContent, $"{_url} has the SHA-256 {found} instead of {_sha256}",
            IsPassing: resumed);
    }

    /// <summary>Gives the file its name.</summary>
    internal void Finish()
    {
        _part.Flush(flushToDisk: true);
        LinuxDisk.Instance.Rename(_path + PartSuffix, _path);
        LinuxDisk.Instance.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
    }

    /// <summary>Forgets what came.</summary>
    internal void Discard() => File.Delete(_path + PartSuffix);

    public void Dispose()
    {
        _part.Dispose();
        _hash.Dispose();
    }

    private HttpRequestMessage Question()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, _url);
        request.Headers.AcceptEncoding.ParseAdd(ContentCoding.Identity);
        if (Have == 0)
            return request;
        request.Headers.Range = new RangeHeaderValue(Have, null);

        // Without a tag (after a restart) the hash alone decides whether the parts belong together.
        if (_tag is { IsWeak: false })
            request.Headers.IfRange = new RangeConditionHeaderValue(_tag);
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
                new PullFailure(PullFailureKind.Status, $"{_url} is shorter than what came of it before", true)
                {
                    Status = 416,
                });
        }

        var whole = response.StatusCode != HttpStatusCode.PartialContent;
        if (whole)
            Puller.CheckStatus(_url, response, HttpStatusCode.OK);
        var misplaced = !whole && range?.From != Have;
        if (whole || misplaced)
            Restart();
        if (misplaced)
            throw new PullException(
                new PullFailure(PullFailureKind.BadContent, $"{_url} answered another part than was asked for", true));
        if (response.Content.Headers.ContentEncoding.Count > 0)
            throw new PullException(
                new PullFailure(PullFailureKind.BadContent, $"{_url} is encoded, which was not asked for", false));
        if ((whole ? response.Content.Headers.ContentLength : range?.Length) > _maxBytes)
            throw new PullException(Puller.TooLarge(_url, _maxBytes));
        _tag = response.Headers.ETag;
        return !whole;
    }

    private void Keep(int count)
    {
        try
        {
            _part.Write(_block, 0, count);
        }
        catch (IOException e)
        {
            throw new LocalDiskException($"{_path}{PartSuffix} cannot be written: {e.Message}", e);
        }

        _hash.AppendData(_block, 0, count);
        Have += count;
    }

    private bool IsRight() => Convert.ToHexStringLower(_hash.GetCurrentHash()) == _sha256;

    private void Restart()
    {
        _part.SetLength(0);
        _part.Position = 0;
        _hash.GetHashAndReset();
        Have = 0;
        _tag = null;
    }
}

/// <summary>Our own disk refused: not the peer's failure, and no reason to ask it again.</summary>
internal sealed class LocalDiskException(string message, IOException inner) : IOException(message, inner);
