using System.Text;

namespace Quarters.Node.Tests;

/// <summary>What is copied to a web space, in which order, and when it counts as copied.</summary>
public sealed class FolderPublisherTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<string?> _notes = [];
    private Identity _node = null!;
    private PublicTree _tree = null!;
    private FolderPublisher _publisher = null!;
    private Task _publishing = Task.CompletedTask;
    private long _revision;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Folder => _directory["web"];

    /// <summary>What the command wrote down, a line each time it ran.</summary>
    private string[] Runs => File.Exists(_directory["runs"]) ? File.ReadAllLines(_directory["runs"]) : [];

    public ValueTask InitializeAsync()
    {
        _node = Identity.Create(_directory["identity"], "alder", [], TimeProvider.System);
        _tree = new PublicTree(_node, TimeProvider.System);
        _tree.Map("/out/", _directory["out"], FileKind.Immutable);
        _tree.Map("/v1/logs/", _directory["logs"], FileKind.Growing);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAny(_publishing);
        _publisher.Dispose();
        _stop.Dispose();
        _node.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task The_command_is_told_what_to_do_and_finds_all_that_is_public_in_the_folder()
    {
        File.WriteAllText(_directory["out/file"], "a package");
        File.WriteAllText(_directory["logs/job.1.log"], "a line\n");
        Say("one");
        Run("echo \"$*\" >> RUNS");

        await _publisher.UntilPublicAsync(1, Cancel);

        await Ask.UntilAsync(() => Runs.Length == 3);
        Assert.Equal([$"first files {Folder}", $"first documents {Folder}", $"first cleanup {Folder}"], Runs);
        Assert.Equal("a package", File.ReadAllText(Path.Combine(Folder, "out/file")));
        Assert.Equal("a line\n", File.ReadAllText(Path.Combine(Folder, "v1/logs/job.1.log")));
        Assert.Contains("one", File.ReadAllText(Path.Combine(Folder, "v1/state.json")), StringComparison.Ordinal);
        Assert.Single(Directory.EnumerateFiles(Path.Combine(Folder, "v1/sig")));
    }

    [Fact]
    public async Task Nothing_is_public_before_the_command_ended_well()
    {
        Say("one");
        Run("[[ -e GO ]] || exit 3; echo ran >> RUNS");
        var awaited = _publisher.UntilPublicAsync(1, Cancel);
        await Ask.UntilAsync(() => Notes().Contains(true));
        Assert.False(awaited.IsCompleted);

        File.WriteAllText(_directory["go"], "");

        await awaited.WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        await Ask.UntilAsync(() => Notes()[^1] == false);
    }

    [Fact]
    public async Task What_the_command_says_is_told_when_it_fails()
    {
        Say("one");
        Run("echo 'no route to host' >&2; exit 3");

        await Ask.UntilAsync(() => Notes().Contains(true));

        var note = LastNote()!;
        Assert.Contains("exited with code 3 (no route to host)", note, StringComparison.Ordinal);
        Assert.Contains("tried again", note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_is_not_there_is_told()
    {
        Say("one");
        Start(["/nowhere/copy"], TimeSpan.FromSeconds(30));

        await Ask.UntilAsync(() => Notes().Contains(true));

        Assert.Contains("/nowhere/copy", LastNote(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_hangs_is_killed_with_all_that_it_started()
    {
        Say("one");
        Run("sleep 1000 & echo $! > RUNS; wait", within: TimeSpan.FromMilliseconds(500));

        await Ask.UntilAsync(() => Notes().Contains(true));

        Assert.Contains("its time was over", LastNote(), StringComparison.Ordinal);
        var child = Runs[0];
        await Ask.UntilAsync(() => !Directory.Exists("/proc/" + child)
            || File.ReadAllText($"/proc/{child}/stat").Contains(") Z ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_command_that_talks_without_end_is_killed()
    {
        Say("one");
        Run("exec yes");

        await Ask.UntilAsync(() => Notes().Contains(true));

        Assert.Contains("more output than it may", LastNote(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_while_a_copy_runs_go_together_with_the_next()
    {
        Say("one");
        Run("[[ $2 == documents ]] || exit 0; echo begun >> RUNS; while [[ ! -e GO ]]; do sleep 0.01; done");
        await Ask.UntilAsync(() => Runs.Length == 1);
        for (var i = 0; i < 100; i++)
            Say($"change {i}");

        File.WriteAllText(_directory["go"], "");
        await _publisher.UntilPublicAsync(101, Cancel);

        Assert.Equal(2, Runs.Length);
    }

    [Fact]
    public async Task Documents_move_on_however_long_files_take_and_nothing_is_cleaned_up_meanwhile()
    {
        File.WriteAllText(_directory["out/settled"], "a package");
        Say("one");
        Run("echo $2 >> RUNS; [[ $2 != files || ! -e FULL ]] || while [[ ! -e GO ]]; do sleep 0.01; done");
        await Ask.UntilAsync(() => Runs is ["files", "documents", "cleanup"]);
        File.WriteAllText(_directory["full"], "");
        File.WriteAllText(_directory["out/large"], "a large package");

        var copying = _publisher.CopyFilesAsync(Note, Cancel);
        await Ask.UntilAsync(() => Runs.Length == 4);
        Assert.True(File.Exists(Path.Combine(Folder, "out/large")));
        File.Delete(_directory["out/settled"]);
        Say("two");
        await _publisher.UntilPublicAsync(2, Cancel);
        Say("three");
        await _publisher.UntilPublicAsync(3, Cancel);
        Assert.False(copying.IsCompleted);

        File.WriteAllText(_directory["go"], "");
        await copying;
        Say("four");
        await Ask.UntilAsync(() => Runs.Length == 8);
        Assert.Equal(["files", "documents", "documents", "documents", "cleanup"], Runs[3..]);
    }

    [Fact]
    public async Task Files_are_copied_until_that_succeeds()
    {
        Say("one");
        Run("[[ $2 != files || ! -e FULL || -e GO ]] || { echo 'no route to host'; exit 3; }");
        await _publisher.UntilPublicAsync(1, Cancel);
        File.WriteAllText(_directory["full"], "");
        string? problem = null;

        var copying = _publisher.CopyFilesAsync(said => problem = said, Cancel);
        await Ask.UntilAsync(() => problem is not null);
        Assert.Contains("files exited with code 3 (no route to host)", problem, StringComparison.Ordinal);
        Assert.False(copying.IsCompleted);

        File.WriteAllText(_directory["go"], "");
        await copying.WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        Assert.Null(problem);
    }

    [Fact]
    public async Task Whenever_a_file_can_be_seen_what_it_refers_to_can_be_seen()
    {
        // The state names a file; the watcher looks at the folder all the time and must find it, and a signature.
        Say("nothing");
        Run("true");
        await _publisher.UntilPublicAsync(1, Cancel);
        var seen = 0;
        using var ended = new CancellationTokenSource();
        var watching = Task.Run(
            () =>
            {
                while (!ended.IsCancellationRequested)
                {
                    var state = File.ReadAllBytes(Path.Combine(Folder, "v1/state.json"));
                    var sha256 = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(state));
                    Assert.True(File.Exists(Path.Combine(Folder, "v1/sig", sha256)), "a signature is missing");
                    var name = Encoding.UTF8.GetString(state).Split('"')[3];
                    Assert.True(name == "nothing" || File.Exists(Path.Combine(Folder, "out", name)), name);
                    seen++;
                }
            },
            Cancel);
        for (var i = 0; i < 30; i++)
        {
            File.WriteAllText(_directory[$"out/file{i}"], "a package");
            Say($"file{i}");
            await _publisher.UntilPublicAsync(Revision(), Cancel);
        }

        await ended.CancelAsync();
        await watching;
        Assert.True(seen > 0);
    }

    [Fact]
    public async Task What_did_not_change_is_not_written_and_what_is_gone_disappears_but_nothing_of_others()
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, "index.html"), "the owner's");
        Directory.CreateDirectory(_directory["out/job.1"]);
        File.WriteAllText(_directory["out/job.1/kept"], "a package");
        File.WriteAllText(_directory["out/job.1/settled"], "a package");
        _tree.Publish("/v1/node.json", "{}"u8.ToArray(), "application/json");
        Say("one");
        Run("echo ran >> RUNS");
        await _publisher.UntilPublicAsync(1, Cancel);
        var before = new FileInfo(Path.Combine(Folder, "v1/node.json")).LastWriteTimeUtc;
        var state = new FileInfo(Path.Combine(Folder, "v1/state.json")).LastWriteTimeUtc;

        File.Delete(_directory["out/job.1/settled"]);
        Say("two");
        await _publisher.UntilPublicAsync(2, Cancel);

        Assert.Equal(before, new FileInfo(Path.Combine(Folder, "v1/node.json")).LastWriteTimeUtc);
        // A file server's tag is made of size and whole seconds.
        Assert.True(new FileInfo(Path.Combine(Folder, "v1/state.json")).LastWriteTimeUtc >= state.AddSeconds(1));
        Assert.Equal(["kept"], new DirectoryInfo(Path.Combine(Folder, "out/job.1")).GetFiles().Select(f => f.Name));
        Assert.True(File.Exists(Path.Combine(Folder, "index.html")));
    }

    [Fact]
    public async Task A_link_that_leads_elsewhere_is_not_published()
    {
        File.WriteAllText(_directory["secret"], "secret");
        Directory.CreateDirectory(_directory["elsewhere"]);
        File.WriteAllText(_directory["elsewhere/secret"], "secret");
        File.CreateSymbolicLink(_directory["out/link"], _directory["secret"]);
        Directory.CreateSymbolicLink(_directory["out/folder"], _directory["elsewhere"]);
        Say("one");
        Run("true");
        await _publisher.UntilPublicAsync(1, Cancel);

        Assert.False(Directory.Exists(Path.Combine(Folder, "out")));
    }

    [Fact]
    public async Task The_script_for_rsync_copies_all_of_it_and_takes_away_what_is_gone()
    {
        var copy = _directory["copy"];
        Directory.CreateDirectory(copy);
        File.WriteAllText(_directory["out/file"], "a package");
        _tree.Publish("/v1/node.json", "{}"u8.ToArray(), "application/json");
        Say("one");
        Start(
            [Checkout.PathOf("contrib/publish/quarters-publish-rsync"), copy], TimeSpan.FromSeconds(30));
        await _publisher.UntilPublicAsync(1, Cancel);
        Assert.Equal(Contents(Folder), Contents(copy));
        Assert.Equal(5, Contents(copy).Count);

        // A copy of files that was cut off, and of which nobody wants the rest.
        Directory.CreateDirectory(Path.Combine(copy, "out/.rsync-partial"));
        File.WriteAllText(Path.Combine(copy, "out/.rsync-partial/large"), "a lar");
        File.Delete(_directory["out/file"]);
        Say("two");
        await _publisher.UntilPublicAsync(2, Cancel);
        await Ask.UntilAsync(() => !Contents(copy).Keys.Any(path => path.StartsWith("out/", StringComparison.Ordinal)));

        File.WriteAllText(_directory["out/large"], "a large package");
        await _publisher.CopyFilesAsync(Assert.Null, Cancel);
        Say("three");
        await _publisher.UntilPublicAsync(3, Cancel);
        Assert.Equal(Contents(Folder), Contents(copy));
    }

    private static SortedDictionary<string, string> Contents(string folder) => new(
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .ToDictionary(path => Path.GetRelativePath(folder, path), File.ReadAllText), StringComparer.Ordinal);

    private void Run(string script, TimeSpan? within = null) => Start(
        ["bash", "-c", script.Replace("RUNS", _directory["runs"], StringComparison.Ordinal)
            .Replace("FULL", _directory["full"], StringComparison.Ordinal)
            .Replace("GO", _directory["go"], StringComparison.Ordinal), "script", "first"],
        within ?? TimeSpan.FromSeconds(30));

    private void Start(string[] command, TimeSpan within)
    {
        var settings = new PublishSettings
        {
            Folder = Folder,
            Command = command,
            Interval = TimeSpan.Zero,
            DocumentsWithin = within,
            FilesWithin = within,
            FirstPause = TimeSpan.FromMilliseconds(20),
            LongestPause = TimeSpan.FromMilliseconds(50),
        };
        _publisher = new FolderPublisher(settings, _tree, _node.PublicKey, TimeProvider.System, () => 0.5);
        _publishing = _publisher.RunAsync(Revision, Note, _stop.Token);
    }

    private void Note(string? problem)
    {
        lock (_notes)
            _notes.Add(problem);
    }

    /// <summary>Whether each try failed.</summary>
    private List<bool> Notes()
    {
        lock (_notes)
            return [.. _notes.Select(note => note is not null)];
    }

    private string? LastNote()
    {
        lock (_notes)
            return _notes[^1];
    }

    private void Say(string word)
    {
        lock (_gate)
        {
            _tree.Publish("/v1/state.json", Encoding.UTF8.GetBytes(
                $$"""{"says":"{{word}}","revision":{{++_revision}}}"""), "application/json");
        }
    }

    private long Revision()
    {
        lock (_gate)
            return _revision;
    }
}
