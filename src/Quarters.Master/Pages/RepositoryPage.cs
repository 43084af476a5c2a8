using Quarters.Core.Master;
using Quarters.Core.Planning;
using static Quarters.Master.Pages.Html;
using static Quarters.Master.Pages.Pieces;

namespace Quarters.Master.Pages;

/// <summary>How the page of one of our repositories looks.</summary>
internal static class RepositoryPage
{
    public static Html Body(RepositoryView view)
    {
        var nothing = view.Repository.Packages.IsEmpty ? "It is still empty." : "No package is so.";
        return H(
            $"""
            <h1>{view.Repository.Name} <span class="version">for {view.Repository.Architecture}</span></h1>
            {SearchForm(view.Paging)}
            {(view.Rows.IsEmpty ? Nothing(H($"{nothing}")) : List(view))}
            """);
    }

    private static Html List(RepositoryView view)
    {
        var rows = Each(view.Rows, package => H(
            $"""
            <tr>
            <th scope="row">{package.Name}</th>
            <td class="version">{package.Version}</td>
            <td class="wide">{PackageLink(package.Pkgbase)}</td>
            <td class="number">{Wording.Size(package.Bytes)}</td>
            <td class="wide"><code>{Wording.Short(package.Sha256)}</code></td>
            <td class="links">{FileLink(view.Repository, package)}</td>
            </tr>

            """));
        return H(
            $"""
            {Found(view.Paging.Total)}
            {Table(Head("Package", "Version", "Base|wide", "Size|number", "SHA-256|wide", "File"), rows)}
            {OtherPages(view.Paging)}
            """);
    }

    private static Html FileLink(RepositoryState repository, RepositoryPackage package)
    {
        var address = Links.PackageFile(repository.Name, repository.Architecture, package.FileName);
        return H($"""<a href="{address}" aria-label="File of {package.Name}">file</a>""");
    }
}
