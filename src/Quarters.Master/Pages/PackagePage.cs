using Quarters.Core.Documents;
using Quarters.Core.Sources;
using static Quarters.Master.Pages.Html;
using static Quarters.Master.Pages.Pieces;

namespace Quarters.Master.Pages;

/// <summary>How the page of one package base looks.</summary>
internal static class PackagePage
{
    private const int MaxDiff = 40_000;

    public static Html Body(PackageView view)
    {
        var package = view.Package;
        var source = package.Source;
        var version = When(source is not null, $"""<span class="version">{source!.Version}</span>""");
        return H(
            $"""
            <h1>{package.Pkgbase} {version} {Status(view.Status)}</h1>
            <ul class="why" aria-label="Why">
            {Each(package.Why, Sentence)}
            </ul>
            {Section("review", "Review", package.Review is not null, () => Review(package.Review!))}
            {Section("source", "Source", source is not null, () => Source(source!, view))}
            {Section("dependencies", "Dependencies", !view.Dependencies.IsEmpty, () => Dependencies(view))}
            {Section("jobs", "Jobs", !package.Jobs.IsEmpty, () => Jobs(view))}
            {Section("files", "Published", !view.Files.IsEmpty, () => Files(view.Files))}
            <p class="more">The same for programs: <a href="/v1{Links.Package(package.Pkgbase)}.json">JSON</a></p>
            """);
    }

    // Sentences about what something waits for follow indented.
    private static Html Sentence(string sentence)
    {
        var kind = sentence.StartsWith(' ') ? "chain" : "";
        return H($"""<li class="{kind}">{Wording.Clip(sentence.Trim(), Wording.LongReason)}</li>""");
    }

    private static Html Source(SourcePackage source, PackageView view)
    {
        var origin = source.Origin;
        var directory = When(origin.Path.Length > 0, $", directory <code>{origin.Path}</code>");
        return H(
            $"""
            <dl>
            {Fact("Packages", H($"{string.Join(", ", source.Packages.Select(output => output.Name))}"))}
            {Fact("For", H($"{string.Join(", ", source.Architectures)}"))}
            {Fact("Repository", H($"{source.Repository}"))}
            {Fact("Packager", H($"{source.Packager}"))}
            {Fact("From", H($"{origin.Source} ({origin.Kind}), <code>{origin.Location}</code>{directory}"))}
            {Fact("Revision", H($"<code>{origin.Revision}</code> {Ago(origin.Time, view.Now)}"))}
            {Fact("Archive", H($"{ArchiveLink(source.ArchiveSha256)}, {Wording.Size(source.ArchiveBytes)}"))}
            </dl>
            """);
    }

    private static Html Review(ReviewStatus review) => H(
        $"""
        <dl>
        {Fact("Version", H($"{review.Version}"))}
        {Fact("Archive", H($"{ArchiveLink(review.ArchiveSha256)}"))}
        {Fact("State", H($"{(review.Rejected ? "rejected" : "needs review")}"))}
        </dl>
        <pre class="diff">{Wording.Clip(review.Diff ?? "", MaxDiff)}</pre>
        """);

    private static Html Dependencies(PackageView view) => Table(
        Head("Needs", "Use", "Provided by", "Where"),
        Each(view.Dependencies, row => H(
            $"""
            <tr>
            <th scope="row">{row.Relation}</th>
            <td>{row.Use}</td>
            {(row.Provider is { } provider ? By(provider) : H($"""<td colspan="2">{Mark("failed", "nobody")}</td>"""))}
            </tr>

            """)));

    private static Html By(Provider provider)
    {
        var offer = provider.Pkgbase is { } pkgbase
            ? H($"""{PackageLink(pkgbase)} <span class="aside">{provider.Offer}</span>""")
            : H($"{provider.Offer}");
        var where = provider.Status is { } status ? Status(status) : H($"in {provider.Repository}");
        return H($"<td>{offer}</td><td>{where}</td>");
    }

    private static Html Jobs(PackageView view)
    {
        var older = view.Package.Jobs.Length - PackageView.MaxRows;
        return H($"""{view.Jobs.ToHtml()}{When(older > 0, $"""<p class="more">and {older} older ones</p>""")}""");
    }
}
