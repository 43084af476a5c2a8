using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Quarters.Node;

/// <summary>
/// A node's public face: documents in memory, files, and pages, each at a path. It answers GET and HEAD and nothing
/// else. All methods may be called from any thread.
/// </summary>
public sealed class PublicTree(Identity identity, TimeProvider time)
{
    /// <summary>Nobody is kept waiting for longer, whatever it asks for.</summary>
    public static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    /// <summary>More readers than this do not wait at the same time: further ones are answered at once.</summary>
    public const int WaitingLimit = 8192;

    private const string SignaturePrefix = "/v1/sig/";
    private const string JsonType = "application/json";
    private const int PagesLimit = 256;

    /// <summary>A file that grows is looked at this often while somebody waits for it.</summary>
    private static readonly TimeSpan GrowthInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>A page is rendered again after this time even if the revision is the same: it may tell ages.</summary>
    private static readonly TimeSpan PageLifetime = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Document> _documents = new(StringComparer.Ordinal);
    private readonly Lock _publishing = new();
    private readonly SignedHashes _signed = new();
    private readonly ConcurrentDictionary<string, RenderedPage> _pages = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _touches = new(StringComparer.Ordinal);
    private volatile IReadOnlyList<FileMap> _maps = [];
    private volatile IReadOnlyList<PageMap> _pageMaps = [];
    private volatile TaskCompletionSource _changed = NewChange();
    private int _waiting;

    /// <summary>Done when a document was published or withdrawn after this was read.</summary>
    internal Task Changed => _changed.Task;

    /// <summary>What is published now.</summary>
    internal IReadOnlyList<KeyValuePair<string, Document>> Documents => [.. _documents];

    /// <summary>The directories of which files are shown.</summary>
    internal IReadOnlyList<FileMap> Maps => _maps;

    /// <summary>Publishes a document, or its next version. Readers that wait for it are answered. The same bytes again
    /// change nothing.</summary>
    /// <param name="path">From the root, as in <c>/v1/state.json</c>.</param>
    /// <param name="bytes">The content; not to be changed afterwards.</param>
    /// <param name="contentType">Its media type.</param>
    public void Publish(string path, byte[] bytes, string contentType)
    {
        CheckPath(path);
        Document? before;
        lock (_publishing)
        {
            _documents.TryGetValue(path, out before);
            if (before is not null && before.Equals(bytes, contentType))
                return;
            var document = new Document(bytes, contentType, time.GetUtcNow());
            _signed.Add(document);
            _documents[path] = document;
            if (before is not null)
                _signed.Retire(before);
        }

        before?.MarkReplaced();
        NoteChange();
    }

    /// <summary>Takes a document away; one that is not there is no error.</summary>
    public void Withdraw(string path)
    {
        Document? before;
        lock (_publishing)
        {
            if (!_documents.TryRemove(path, out before))
                return;
            _signed.Retire(before);
        }

        before.MarkReplaced();
        NoteChange();
    }

    /// <summary>Shows the files of a directory, which is made if it is missing. Names with a leading dot are not
    /// shown.</summary>
    /// <param name="prefix">From the root, ending with <c>/</c>.</param>
    /// <param name="directory">The directory.</param>
    /// <param name="kind">How its files behave.</param>
    /// <param name="visibleLength">
    /// How many bytes of a file (by its path from the directory) may be shown yet; null for all of it. See
    /// <see cref="Journal{TEvent}.DurableLength"/>.
    /// </param>
    public void Map(string prefix, string directory, FileKind kind, Func<string, long?>? visibleLength = null)
    {
        CheckPath(prefix);
        if (!prefix.EndsWith('/'))
            throw new ArgumentException($"The prefix {prefix} must end with a slash", nameof(prefix));
        lock (_publishing)
        {
            var added = new FileMap(prefix, directory, kind, visibleLength, time);
            _maps = [.. _maps.Append(added).OrderByDescending(map => map.Prefix.Length)];
        }
    }

    /// <summary>Shows pages that are made when they are asked for.</summary>
    /// <param name="prefix">The paths that begin so and are nothing else: <c>/</c> for all the rest.</param>
    /// <param name="render">The page at a path, or null when there is none. Called from many threads.</param>
    /// <param name="revision">The revision of what pages are made of; a page is kept while it stands.</param>
    public void Render(string prefix, Func<PageRequest, Page?> render, Func<long> revision)
    {
        CheckPath(prefix);
        lock (_publishing)
        {
            var added = new PageMap(prefix, render, revision);
            _pageMaps = [.. _pageMaps.Append(added).OrderByDescending(map => map.Prefix.Length)];
        }
    }

    /// <summary>What a page is made of has changed: those who wait for that page are answered.</summary>
    /// <param name="path">The page's path. The revision must have moved before.</param>
    public void Touch(string path)
    {
        if (_touches.TryRemove(path, out var touch))
            touch.TrySetResult();
    }

    /// <summary>Answers a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="stopping">Those who wait are answered when it fires.</param>
    internal async Task AnswerAsync(HttpContext context, CancellationToken stopping)
    {
        SetSafetyHeaders(context.Response.Headers);
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = "GET, HEAD";
            return;
        }

        var path = context.Request.Path.Value ?? "/";
        var wait = Prefer.Wait(context.Request.Headers["Prefer"], WaitLimit);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        var shown = _documents.ContainsKey(path) ? await DocumentAsync(context, path, wait, ended.Token)
            : _maps.FirstOrDefault(map => path.StartsWith(map.Prefix, StringComparison.Ordinal)) is { } map
                ? await FileAsync(context, map, path, wait, ended.Token)
            : path.StartsWith(SignaturePrefix, StringComparison.Ordinal) ? Signature(path[SignaturePrefix.Length..])
            : await PageAsync(context, path, wait, ended.Token);
        if (shown is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        using (shown.Body)
            await Answer.SendAsync(context, shown);
    }

    private async Task<Representation?> DocumentAsync(HttpContext context, string path, TimeSpan wait,
        CancellationToken ended)
    {
        var request = context.Request.GetTypedHeaders();
        var coding = ContentCoding.Choose(request.AcceptEncoding);
        if (!_documents.TryGetValue(path, out var document))
            return null;
        var shown = document.In(coding) with { IsWaitedFor = true };
        if (wait == TimeSpan.Zero || !Answer.IsKnown(request, shown) || !BeginWaiting(context, wait))
            return shown;
        try
        {
            // A delay that is left running would hold the request's memory until it ends.
            using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(ended);
            await Task.WhenAny(document.Replaced, Task.Delay(wait, time, cancelled.Token));
            await cancelled.CancelAsync();
        }
        finally
        {
            EndWaiting();
        }

        return _documents.TryGetValue(path, out document) ? document.In(coding) with { IsWaitedFor = true } : null;
    }

    private async Task<Representation?> FileAsync(HttpContext context, FileMap map, string path, TimeSpan wait,
        CancellationToken ended)
    {
        var shown = await map.FindAsync(path, context.RequestAborted);
        // A reader at the end of a growing file waits for what comes: `Range: bytes=LENGTH-`.
        if (shown is null || map.Kind != FileKind.Growing || wait == TimeSpan.Zero
            || context.Request.GetTypedHeaders().Range is not { Ranges.Count: 1 } range
            || range.Ranges.Single().From != shown.Body.Length || !BeginWaiting(context, wait))
            return shown;
        try
        {
            var length = shown.Body.Length;
            var started = time.GetTimestamp();
            while (shown?.Body.Length == length && time.GetElapsedTime(started) < wait
                && !ended.IsCancellationRequested)
            {
                shown.Body.Dispose();
                await Task.WhenAny(Task.Delay(GrowthInterval, time, ended));
                shown = await map.FindAsync(path, context.RequestAborted);
            }

            return shown;
        }
        finally
        {
            EndWaiting();
        }
    }

    private Representation? Signature(string sha256)
    {
        if (_signed.Length(sha256) is not { } length)
            return null;
        var bytes = Sign(sha256, length);
        return new Document(bytes, JsonType, time.GetUtcNow()).In(ContentCoding.Identity) with
        {
            CacheControl = CacheControls.Immutable,
        };
    }

    /// <summary>A signature of a document, as <c>/v1/sig/</c> shows it.</summary>
    internal byte[] Sign(string sha256, long length) => identity.SignDocument(sha256, length);

    private async Task<Representation?> PageAsync(
        HttpContext context, string path, TimeSpan wait, CancellationToken ended)
    {
        var request = context.Request.GetTypedHeaders();
        var shown = PageAt(context, path);
        if (wait <= TimeSpan.Zero || shown is null || !Answer.IsKnown(request, shown) || !BeginWaiting(context, wait))
            return shown;
        var touch = _touches.GetOrAdd(path, NewTouch);
        try
        {
            // What changed before somebody could tell us is seen by looking again.
            shown = PageAt(context, path);
            if (shown is null || !Answer.IsKnown(request, shown))
                return shown;
            using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(ended);
            await Task.WhenAny(touch.Task, Task.Delay(wait, time, cancelled.Token));
            await cancelled.CancelAsync();
        }
        finally
        {
            EndWaiting();
            // Others who wait with us look again too: that costs little, and nothing is kept for nobody.
            Touch(path);
        }

        return PageAt(context, path);

        static TaskCompletionSource NewTouch(string _) => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private Representation? PageAt(HttpContext context, string path)
    {
        if (_pageMaps.FirstOrDefault(map => path.StartsWith(map.Prefix, StringComparison.Ordinal)) is not { } map)
            return null;
        var target = path + context.Request.QueryString.Value;
        var revision = map.Revision();
        var now = time.GetUtcNow();
        if (!_pages.TryGetValue(target, out var kept) || kept.Revision != revision
            || now - kept.Document.Modified > PageLifetime)
        {
            if (map.Render(new PageRequest(path, context.Request.Query)) is not { } page)
                return null;
            if (_pages.Count >= PagesLimit)
                _pages.Clear();
            kept = new RenderedPage(revision, new Document(page.Bytes, page.ContentType, now), page.Status);
            _pages[target] = kept;
            // Documents that are made when they are asked for are signed like the others.
            if (page.ContentType == JsonType)
                _signed.AddRetired(kept.Document);
        }

        // When it was rendered says nothing about when it changed, so only the tag speaks.
        var coding = ContentCoding.Choose(context.Request.GetTypedHeaders().AcceptEncoding);
        return kept.Document.In(coding) with { Modified = null, Status = kept.Status };
    }

    private bool BeginWaiting(HttpContext context, TimeSpan wait)
    {
        if (Interlocked.Increment(ref _waiting) > WaitingLimit)
        {
            Interlocked.Decrement(ref _waiting);
            return false;
        }

        NodeMeter.Waiting.Add(1);
        context.Response.Headers["Preference-Applied"] = Prefer.Applied(wait);
        return true;
    }

    private void EndWaiting()
    {
        Interlocked.Decrement(ref _waiting);
        NodeMeter.Waiting.Add(-1);
    }

    private void NoteChange() => Interlocked.Exchange(ref _changed, NewChange()).TrySetResult();

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void SetSafetyHeaders(IHeaderDictionary headers)
    {
        // Pages take nothing but their own stylesheet and pictures, run no script, and ask no form but their own
        // search: should a name ever reach one as markup, it stays harmless.
        headers.ContentSecurityPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; "
            + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
    }

    private static void CheckPath(string path)
    {
        if (!path.StartsWith('/'))
            throw new ArgumentException($"The path {path} must begin with a slash", nameof(path));
    }

    private readonly record struct RenderedPage(long Revision, Document Document, int Status);

    private sealed record PageMap(string Prefix, Func<PageRequest, Page?> Render, Func<long> Revision);
}

/// <summary>What a page is asked for with.</summary>
/// <param name="Path">The path, decoded.</param>
/// <param name="Query">What stands after the question mark; nothing in it is trusted.</param>
public sealed record PageRequest(string Path, IQueryCollection Query);

/// <summary>A page that was rendered.</summary>
/// <param name="Bytes">The content.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Status">The status code: 200, or 404 for a page that says that there is nothing here.</param>
public sealed record Page(byte[] Bytes, string ContentType, int Status = StatusCodes.Status200OK)
{
    /// <summary>A page in HTML.</summary>
    public static Page Html(string html) => new(Encoding.UTF8.GetBytes(html), "text/html; charset=utf-8");
}
