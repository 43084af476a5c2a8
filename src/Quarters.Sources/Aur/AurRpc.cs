using System.Text;
using System.Text.Json;
using Quarters.Sources.Web;

namespace Quarters.Sources.Aur;

/// <summary>The AUR's RPC, version 5: a few questions for a few packages.</summary>
internal sealed class AurRpc(Uri address, WebReader web) : IAurCatalog
{
    private const int NamesAtOnce = 150;
    private const int MaxUrlLength = 4000;
    private const int MaxAnswerBytes = 32 << 20;
    private const int MaxResults = 5000;

    /// <inheritdoc/>
    public async Task<List<AurPackage>> FindAsync(
        IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        var found = new List<AurPackage>();
        foreach (var url in Questions(names))
        {
            var answer = await AskAsync(url, cancellationToken);
            if (answer.Type == "error")
                throw new SourceUnreachableException(
                    $"The AUR at {address} refuses: {LastWords.Of(answer.Error ?? "")}.");
            found.AddRange((answer.Results ?? []).Where(package => names.Contains(package.Name)));
        }

        return found;
    }

    /// <inheritdoc/>
    public async Task<List<AurPackage>> ProvidersAsync(string name, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(
            new Uri(address, $"rpc/v5/search/{Uri.EscapeDataString(name)}?by=provides"), cancellationToken);
        // Too many results, or too short a name: there is nobody to choose.
        if (answer.Type == "error" || answer.Results is not { Length: > 0 } results)
            return [];
        // What a search finds is told without what it depends on.
        return await FindAsync(
            results.Take(MaxResults).Select(package => package.Name).ToHashSet(StringComparer.Ordinal),
            cancellationToken);
    }

    private IEnumerable<Uri> Questions(IReadOnlyCollection<string> names)
    {
        var start = new Uri(address, "rpc/v5/info?").ToString();
        var url = new StringBuilder(start);
        var count = 0;
        foreach (var name in names)
        {
            var argument = "arg[]=" + Uri.EscapeDataString(name);
            if (count == NamesAtOnce || (count > 0 && url.Length + 1 + argument.Length > MaxUrlLength))
            {
                yield return new Uri(url.ToString());
                url.Clear().Append(start);
                count = 0;
            }

            url.Append(count++ == 0 ? "" : "&").Append(argument);
        }

        if (count > 0)
            yield return new Uri(url.ToString());
    }

    private async Task<AurAnswer> AskAsync(Uri url, CancellationToken cancellationToken)
    {
        var answer = await web.ReadAsync(url, null, MaxAnswerBytes, cancellationToken);
        try
        {
            return JsonSerializer.Deserialize(answer.Body, AurJson.Default.AurAnswer)
                ?? throw new SourceUnreachableException($"The AUR at {address} answers with nothing.");
        }
        catch (JsonException)
        {
            throw new SourceUnreachableException($"The AUR at {address} answers with what is no JSON of its RPC.");
        }
    }
}
