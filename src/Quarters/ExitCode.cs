namespace Quarters;

/// <summary>What the program tells its caller.</summary>
internal static class ExitCode
{
    /// <summary>It is done.</summary>
    internal const int Done = 0;

    /// <summary>It was tried, and the answer is bad: a package does not build, a PKGBUILD cannot be read, something
    /// that builds need is missing.</summary>
    internal const int Failed = 1;

    /// <summary>It could not be tried: a mistake in the arguments or the configuration, nobody answers, or a
    /// bug.</summary>
    internal const int Mistake = 2;

    /// <summary>Ctrl-C ended it, as shells count: 128 plus the signal.</summary>
    internal const int Interrupted = 130;
}
