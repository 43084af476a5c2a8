namespace Quarters.Node;

/// <summary>What came of asking another node for a document.</summary>
public abstract record PullResult
{
    private PullResult()
    {
    }

    /// <summary>The document is the one that the reader has already.</summary>
    public sealed record NotModified : PullResult;

    /// <summary>The document.</summary>
    /// <param name="Bytes">Its content, decoded.</param>
    /// <param name="Tag">Its entity tag as it was sent, for the next question; null when there was none.</param>
    public sealed record Document(byte[] Bytes, string? Tag) : PullResult;

    /// <summary>There is no answer.</summary>
    public sealed record Failed(PullFailure Failure) : PullResult;
}

/// <summary>Why a pull gave nothing.</summary>
/// <param name="Kind">What went wrong.</param>
/// <param name="Sentence">The same for people: what, from where, and what was expected.</param>
/// <param name="IsPassing">Whether another try may succeed without anybody doing anything.</param>
public sealed record PullFailure(PullFailureKind Kind, string Sentence, bool IsPassing)
{
    /// <summary>The status that was answered, where that is the failure.</summary>
    public int? Status { get; init; }
}

/// <summary>Kinds of failed pulls.</summary>
public enum PullFailureKind
{
    /// <summary>No connection, or it broke.</summary>
    Unreachable,

    /// <summary>Whoever answered is not the node that was asked, or cannot prove to be.</summary>
    WrongKey,

    /// <summary>The node's signature of the document is missing, or does not hold.</summary>
    NotSigned,

    /// <summary>The document is one that the node replaced before: somebody between shows an older one.</summary>
    Outdated,

    /// <summary>There is more than the reader takes.</summary>
    TooLarge,

    /// <summary>Another status than one that gives a document.</summary>
    Status,

    /// <summary>Nothing came for too long, or too little.</summary>
    Timeout,

    /// <summary>The bytes are not those that were promised, or cannot be decoded.</summary>
    BadContent,
}

/// <summary>Carries a failure out of the depth of a pull; turned into data before it leaves this folder.</summary>
internal sealed class PullException(PullFailure failure) : Exception(failure.Sentence)
{
    internal PullFailure Failure => failure;
}
