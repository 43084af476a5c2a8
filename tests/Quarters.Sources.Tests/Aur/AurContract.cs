using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Aur;

/// <summary>The AUR, by its RPC and its git repositories.</summary>
public sealed class AurContract : SourceContract
{
    private protected override async Task<Upstream> CreateAsync(Workshop workshop) =>
        await AurUpstream.CreateAsync(workshop);
}
