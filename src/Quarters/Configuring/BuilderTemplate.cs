namespace Quarters.Configuring;

/// <summary>The builder.toml that <c>builder init</c> writes.</summary>
internal static class BuilderTemplate
{
    internal static string Text(
        string name, string listen, string url, string master, string masterKey, string architecture) => $"""
        # A builder of a farm. Every key: docs/reference/configuration.md
        # Paths are relative to this file. After a change, stop `quarters builder` with Ctrl-C and start it again.

        name = {FarmTemplate.Quoted(name)}

        # Where it listens, and where the master and the other builders reach it. They only ever read.
        listen = {FarmTemplate.Quoted(listen)}
        url = {FarmTemplate.Quoted(url)}

        # Key, journal, results, chroots. The key in it is who this builder is: keep a copy of it.
        state = "state"

        architectures = [{FarmTemplate.Quoted(architecture)}]

        # Builds at once.
        slots = 1

        # How fast this machine is beside others: 2 needs half the time.
        weight = 1

        # The most memory that one build may use; all of the machine's if not given.
        #memory = "8 GiB"

        # How many jobs `make` runs at once; as many as there are processors if not given.
        #jobs = 4

        # Directories with upstream files that are there already, like makepkg's SRCDEST. They are only read.
        sources-cache = []

        # Whose jobs it builds. The key is what the master must prove to have.
        [master]
        url = {FarmTemplate.Quoted(master)}
        key = {FarmTemplate.Quoted(masterKey)}

        # What one build may use here at most, whatever a job asks for.
        [limits]
        #processes = 4096
        #disk = "40 GiB"
        #time = "12 h"
        #silence = "30 min"

        # Behind NAT, where nobody reaches `listen`: a command that copies what this builder says to the web space that
        # `url` is of. docs/guides/behind-nat.md
        #[publish]
        #command = ["/usr/lib/quarters/quarters-publish-rsync", "me@web.example.org:/srv/quarters/builder"]

        """;
}
