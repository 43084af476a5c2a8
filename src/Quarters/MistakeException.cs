namespace Quarters;

/// <summary>Something that the person at the terminal can mend: the message says what, where, and how.</summary>
internal sealed class MistakeException(string message) : Exception(message);
