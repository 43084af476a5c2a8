namespace Quarters.Alpm;

/// <summary>How a relation compares versions.</summary>
public enum Comparison
{
    /// <summary>Any version will do.</summary>
    Any,

    /// <summary><c>=</c></summary>
    Equal,

    /// <summary><c>&lt;</c></summary>
    Less,

    /// <summary><c>&lt;=</c></summary>
    LessOrEqual,

    /// <summary><c>&gt;</c></summary>
    Greater,

    /// <summary><c>&gt;=</c></summary>
    GreaterOrEqual,
}
