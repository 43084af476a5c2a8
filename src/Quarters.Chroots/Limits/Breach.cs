using Quarters.Core.Documents;

namespace Quarters.Chroots.Limits;

/// <summary>Why a build was stopped.</summary>
internal sealed record Breach(FailureKind Kind, string Message);
