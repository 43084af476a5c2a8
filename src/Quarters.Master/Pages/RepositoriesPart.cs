using Quarters.Core.Master;
using static Quarters.Master.Pages.Html;
using static Quarters.Master.Pages.Pieces;

namespace Quarters.Master.Pages;

/// <summary>The repositories, and what to write into pacman.conf to install from them.</summary>
internal static class RepositoriesPart
{
    public static Html Of(OverviewView view)
    {
        if (view.Repositories.IsEmpty)
            return Nothing(H($"No repository is configured: name one in <code>quarters.toml</code>."));
        var head = Head("Repository", "For", "Packages", "Database|wide", "SHA-256|wide");
        return H(
            $"""
            {Table(head, H($"{Own(view)}{Outside(view)}"))}
            <p>To install from here, put this into <code>/etc/pacman.conf</code>, above the repositories that it should
            come before:</p>
            {Block(view.PacmanConf)}
            {(view.HasCertificate ? Certificate(view) : Html.None)}
            """);
    }

    private static Html Own(OverviewView view) => Each(view.Repositories, repository => H(
        $"""
        <tr>
        <th scope="row">{Name(repository)}</th>
        <td>{repository.Architecture}</td>
        <td>{repository.Packages.Count}</td>
        <td class="wide">{Published(repository)}</td>
        <td class="wide"><code>{Wording.Short(repository.DatabaseSha256)}</code></td>
        </tr>

        """));

    private static Html Outside(OverviewView view) => Each(view.Outside, row => H(
        $"""
        <tr>
        <th scope="row">{row.Name}</th>
        <td>{row.Architecture}</td>
        <td>{row.Pinned?.Index.Count ?? 0}</td>
        <td class="wide">{Pinned(row)}</td>
        <td class="wide"><code>{Wording.Short(row.Pinned?.Sha256)}</code></td>
        </tr>
        {ErrorRow(row.Trouble, columns: 5)}
        """));

    private static Html Name(RepositoryState repository) =>
        H($"""<a href="{Links.Repository(repository.Name, repository.Architecture)}">{repository.Name}</a>""");

    private static string Published(RepositoryState repository) =>
        repository.DatabaseSha256 is null ? "not published yet" : Wording.Size(repository.DatabaseBytes);

    private static string Pinned(OutsideRow row) =>
        row.Pinned is { } pinned ? $"{Wording.Size(pinned.Bytes)}, pinned: builds install from it" : "not fetched yet";

    private static Html Certificate(OverviewView view) => H(
        $"""
        <details>
        <summary>If pacman does not trust this address: its certificate</summary>
        <p>A master shows a certificate of its own making. Fetch it once:</p>
        {Block(view.FetchCertificate)}
        <p>The last command must print the master's key. Hear it from its owner too, not from this page alone:</p>
        {Block(view.KeyHex)}
        <p>Then, in the <code>[options]</code> of <code>/etc/pacman.conf</code>, let pacman take it besides those of
        your system:</p>
        {Block(OverviewView.TrustCertificate)}
        </details>
        """);
}
