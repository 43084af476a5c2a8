using System.Text.Encodings.Web;
using System.Text.Json;

namespace Quarters.Configuring;

/// <summary>The quarters.toml that <c>init</c> writes: it explains every key that most people change.</summary>
internal static class FarmTemplate
{
    internal static string Text(
        string name,
        string listen,
        string? builderListen,
        string architecture,
        IEnumerable<(string Name, IEnumerable<string> Servers)> outside,
        IEnumerable<SourceSection> sources) => $"""
        # What this farm builds, from where, and for whom. Every key: docs/reference/configuration.md
        # Paths are relative to this file. After a change: `quarters reload`.

        name = {Quoted(name)}

        # Where the master shows its page and serves documents and repositories.
        # "0.0.0.0:7373" opens it to the network; nobody can write into it, whoever he is.
        listen = {Quoted(listen)}

        # Keys, journal, packages, chroots. The keys in it are who you are: keep a copy of them.
        state = "state"

        # The first one also builds the packages for "any".
        architectures = [{Quoted(architecture)}]

        # What every clean chroot holds before a package's own dependencies.
        base = ["base-devel"]

        # What is built is published here; the first repository takes what names none.
        [[repository]]
        name = "quarters"

        # The repositories that builds may install from, in pacman's order, after our own.
        # Of several servers the next is tried when one fails.

        """ + string.Concat(outside.Select(Outside)) + """

        # Where PKGBUILDs come from: kind = "git" (url, branch) or "directory" (path).
        # layout = "directories" is one directory a package; "single" is one PKGBUILD at the top.

        """ + string.Concat(sources.Select(Source)) + Builder(builderListen) + """

        # How much one build may use before it is stopped.
        [limits]
        memory = "8 GiB"
        processes = 4096
        disk = "40 GiB"
        time = "12 h"
        silence = "30 min"

        """;

    private static string Builder(string? listen) => listen is null ? "" : $"""

        # The builder on this machine, which `quarters up` runs beside the master.
        [builder]
        listen = {Quoted(listen)}
        # Builds at once; each runs `make` on all processors.
        slots = 1
        # Directories with upstream files that are there already, like makepkg's SRCDEST. They are only read.
        sources-cache = []

        """;

    private static string Outside((string Name, IEnumerable<string> Servers) outside) => $"""

        [[outside]]
        name = {Quoted(outside.Name)}
        servers = [{string.Join(", ", outside.Servers.Select(Quoted))}]

        """;

    private static string Source(SourceSection source) => $"""

        [[source]]
        name = {Quoted(source.Name)}
        kind = "{(source.Kind == SourceKind.Git ? "git" : "directory")}"
        {Place(source)}
        poll = "1 min"

        """;

    // A directory shows its layout itself.
    private static string Place(SourceSection source) => source.Kind == SourceKind.Git
        ? $"url = {Quoted(source.Url!)}\nlayout = "
            + (source.Layout == SourceLayout.Single ? "\"single\"" : "\"directories\"")
        : $"path = {Quoted(source.Path!)}";

    // What JSON escapes, and how, TOML's basic strings understand too.
    internal static string Quoted(string text) =>
        $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
