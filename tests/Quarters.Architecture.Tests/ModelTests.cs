using Quarters.Linux.Processes;

namespace Quarters.Architecture.Tests;

/// <summary>The protocol of claims has a model, model/claims.pml, that spin searches.</summary>
public sealed class ModelTests
{
    [Fact]
    public async Task The_claims_model_holds_within_its_bounds()
    {
        var check = new ProcessSpec
        {
            FileName = Checkout.PathOf("model/check"),
            MergeStandardError = true,
            // It takes about a minute; a search that does not end must not hold up everything.
            Timeout = TimeSpan.FromMinutes(15),
        };

        var result = await ProcessRunner.RunAsync(check, TestContext.Current.CancellationToken);

        Assert.True(result.Succeeded, $"model/check {result.Ending}:\n{result.StandardOutput}");
    }
}
