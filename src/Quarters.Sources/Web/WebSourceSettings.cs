namespace Quarters.Sources.Web;

/// <summary>Source packages that a web server lists.</summary>
public sealed record WebSourceSettings : SourceSettings
{
    /// <summary>The list: an index document, or a directory listing of nginx.</summary>
    public required Uri Url { get; init; }
}
