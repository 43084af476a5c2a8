using Quarters.Core.Documents;

namespace Quarters.Chroots.Builds;

/// <summary>Ends a build that has failed, from wherever it is; <see cref="BuildRun"/> turns it into the
/// outcome.</summary>
internal sealed class BuildStop(FailureKind kind, string message) : Exception(message)
{
    /// <summary>Whose fault it is.</summary>
    internal FailureKind Kind => kind;
}
