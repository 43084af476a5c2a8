using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Web;

/// <summary>Source packages that an index document lists.</summary>
public sealed class WebContract : SourceContract
{
    private protected override async Task<Upstream> CreateAsync(Workshop workshop) =>
        await WebUpstream.CreateAsync(workshop);
}
