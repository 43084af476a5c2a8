using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Net.Http.Headers;

namespace Quarters.Node;

/// <summary>Conditional requests and ranges (RFC 9110, sections 13 and 14) over a representation.</summary>
internal static class Answer
{
    /// <summary>Sends what the request's conditions leave of a representation.</summary>
    internal static async Task SendAsync(HttpContext context, Representation shown)
    {
        var request = context.Request.GetTypedHeaders();
        var response = context.Response;
        SetHeaders(response, shown);
        response.StatusCode = shown.Status;
        // Conditions count only where the answer would be a success (RFC 9110, 13.2.1).
        if (shown.Status == StatusCodes.Status200OK && Precondition(request, shown) is { } status)
        {
            response.StatusCode = status;
            return;
        }

        var (offset, count) = (0L, shown.Body.Length);
        response.ContentType = shown.ContentType;
        if (shown.TakesRanges)
        {
            response.Headers.AcceptRanges = "bytes";
            if (HttpMethods.IsGet(context.Request.Method) && Wanted(request, shown) is { } range)
            {
                if (range.Count == 0)
                {
                    response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
                    response.Headers.ContentRange = $"bytes */{count}";
                    response.ContentType = null;
                    return;
                }

                (offset, count) = range;
                response.StatusCode = StatusCodes.Status206PartialContent;
                response.Headers.ContentRange = $"bytes {offset}-{offset + count - 1}/{shown.Body.Length}";
            }
        }

        if (shown.ContentEncoding is not null)
            response.Headers.ContentEncoding = shown.ContentEncoding;
        response.ContentLength = count;
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        await shown.Body.WriteAsync(response, offset, count, context.RequestAborted);
        NodeMeter.BytesServed.Add(count);
    }

    /// <summary>Whether the reader has exactly this already.</summary>
    internal static bool IsKnown(RequestHeaders request, Representation shown) =>
        shown.Tag is not null && request.IfNoneMatch.Any(tag => Matches(tag, shown.Tag, weakly: true));

    private static void SetHeaders(HttpResponse response, Representation shown)
    {
        response.Headers.CacheControl = shown.CacheControl;
        if (Varies(shown) is { } names)
            response.Headers.Vary = names;
        if (shown.Tag is not null)
            response.Headers.ETag = $"\"{shown.Tag}\"";
        if (shown.Modified is { } modified)
            response.Headers.LastModified = HeaderUtilities.FormatDate(modified);
    }

    private static string? Varies(Representation shown) => (shown.VariesByCoding, shown.IsWaitedFor) switch
    {
        (true, true) => HeaderNames.AcceptEncoding + ", Prefer",
        (true, false) => HeaderNames.AcceptEncoding,
        (false, true) => "Prefer",
        _ => null,
    };

    // RFC 9110, 13.2.2: the order in which conditions count.
    private static int? Precondition(RequestHeaders request, Representation shown)
    {
        if (request.IfMatch.Count > 0)
        {
            if (!request.IfMatch.Any(tag => Matches(tag, shown.Tag, weakly: false)))
                return StatusCodes.Status412PreconditionFailed;
        }
        else if (request.IfUnmodifiedSince is { } unmodified && shown.Modified is { } changed
            && Seconds(changed) > unmodified)
        {
            return StatusCodes.Status412PreconditionFailed;
        }

        if (request.IfNoneMatch.Count > 0)
            return IsKnown(request, shown) ? StatusCodes.Status304NotModified : null;
        if (request.IfModifiedSince is { } since && shown.Modified is { } modified && Seconds(modified) <= since)
            return StatusCodes.Status304NotModified;
        return null;
    }

    /// <summary>The part that is asked for; none when the whole must be sent; a count of 0 when it is not
    /// there.</summary>
    private static (long Offset, long Count)? Wanted(RequestHeaders request, Representation shown)
    {
        var length = shown.Body.Length;
        // Several ranges in one request may be answered with the whole, which is what is done: nobody here needs them.
        if (request.Range is not { Ranges.Count: 1 } asked || asked.Unit != "bytes")
            return null;
        if (request.IfRange is { } condition && !Holds(condition, shown))
            return null;
        var range = asked.Ranges.Single();
        if (range.From is not { } from)
            return (Math.Max(0, length - range.To.GetValueOrDefault()), Math.Min(length, range.To.GetValueOrDefault()));
        if (from >= length)
            return (0, 0);
        var last = Math.Min(range.To ?? long.MaxValue, length - 1);
        return (from, last - from + 1);
    }

    private static bool Holds(RangeConditionHeaderValue condition, Representation shown) =>
        condition.EntityTag is { } tag
        ? Matches(tag, shown.Tag, weakly: false)
        : condition.LastModified is { } date && shown.Modified is { } modified && Seconds(modified) == date;

    private static bool Matches(EntityTagHeaderValue asked, string? tag, bool weakly) =>
        asked.Tag == "*" || (tag is not null && asked.Tag.Equals($"\"{tag}\"") && (weakly || !asked.IsWeak));

    private static DateTimeOffset Seconds(DateTimeOffset time) =>
        time.AddTicks(-(time.UtcTicks % TimeSpan.TicksPerSecond));
}
