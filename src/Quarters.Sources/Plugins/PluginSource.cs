using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Quarters.Core.Sources;
using Quarters.Linux.Processes;
using Quarters.Sources.Directories;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Plugins;

/// <summary>
/// Packages that a program of the operator's finds. It is told where the last poll ended and prints what changed since;
/// what it says of a package is where the files are, and the files are read as those of every other source.
/// </summary>
public sealed class PluginSource : ISource
{
    private const string Kind = "plugin";
    private const int CandidatesAtOnce = 64;

    private readonly PluginSourceSettings _settings;
    private readonly PackageIntake _intake;
    private readonly MemoryFile _memoryFile;
    private readonly SourceIdentity _identity;
    private readonly string _workDirectory;

    /// <summary>Makes a source; nothing runs before the first poll.</summary>
    /// <exception cref="SourceSettingsException">A setting cannot be used.</exception>
    public PluginSource(PluginSourceSettings settings, PackageIntake intake)
    {
        if (settings.Command.IsDefaultOrEmpty)
            throw new SourceSettingsException("The command must name a program.");
        _settings = settings;
        _intake = intake;
        _memoryFile = settings.OpenMemory();
        _identity = new SourceIdentity(settings.Name, Kind, settings.Command[0], settings.Repository);
        _workDirectory = Path.GetFullPath(settings.InState(".work"));
    }

    /// <inheritdoc/>
    public string Name => _settings.Name;

    /// <inheritdoc/>
    public async Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken)
    {
        var packagers = Packagers.Load(_settings.Packagers);
        var memory = _memoryFile.Load(cursor);
        if (memory is not null && memory.Cursor.Split(' ', 2)[0] != Fingerprint(packagers))
            memory = null;
        Clear();
        Directory.CreateDirectory(_workDirectory);
        try
        {
            var output = await RunAsync(memory?.Cursor.Split(' ', 3)[2] ?? "", cancellationToken);
            return await ReportAsync(memory, output, packagers, cancellationToken);
        }
        finally
        {
            Clear();
        }
    }

    private void Clear()
    {
        if (Directory.Exists(_workDirectory))
            Directory.Delete(_workDirectory, recursive: true);
    }

    private async Task<PluginOutput> RunAsync(string cursor, CancellationToken cancellationToken)
    {
        var command = string.Join(' ', _settings.Command);
        try
        {
            var result = await ProcessRunner.RunAsync(
                new ProcessSpec
                {
                    FileName = _settings.Command[0],
                    Arguments = [.. _settings.Command.Skip(1)],
                    WorkingDirectory = _workDirectory,
                    Environment = Environment(cursor),
                    Timeout = _settings.Timeout,
                    MaxOutputBytes = _settings.MaxOutputBytes,
                    ParentDeathSignal = true,
                },
                cancellationToken);
            if (!result.Succeeded)
                throw new SourceUnreachableException($"{result.Ending}: {LastWords.Of(result)}");
            return PluginOutput.Parse(result.OutputBytes.Span, _workDirectory);
        }
        catch (ProcessStartException failure)
        {
            throw new SourceUnreachableException($"The plug-in {command} cannot be started: {failure.Message}");
        }
        catch (SourceUnreachableException failure)
        {
            throw new SourceUnreachableException($"The plug-in {command} {failure.Message}");
        }
    }

    private Dictionary<string, string> Environment(string cursor)
    {
        var environment = InheritedEnvironment.Without();
        environment["QUARTERS_SOURCE"] = _settings.Name;
        environment["QUARTERS_CURSOR"] = cursor;
        return environment;
    }

    private async Task<SourceReport> ReportAsync(
        SourceMemory? memory, PluginOutput output, Packagers packagers, CancellationToken cancellationToken)
    {
        var known = memory?.Packages.Keys ?? [];
        var removed = known.Where(path =>
            output.Removed.Contains(path) || (output.Complete && !output.Packages.ContainsKey(path))).ToList();
        // Who lists everything every time need not know what changed: here it is known.
        var present = output.Packages.Values
            .Where(package => memory?.Packages.GetValueOrDefault(package.Path) is not { } before
                || before.Mark != Load(package, packagers).Mark)
            .Select(package => package.Path).ToList();
        var marks = new Dictionary<string, string>(StringComparer.Ordinal);
        var poll = new Poll(
            _intake, _identity, memory, (paths, token) => LoadAsync(paths, memory, output, packagers, marks, token));
        var (report, after) = await poll.RunAsync("", present, removed, path => marks[path], cancellationToken);
        // A plug-in may print the same cursor for ever; ours must differ whenever something does.
        var all = string.Concat(after.Packages.Select(one => $"{one.Key}\0{one.Value.Mark}\0"));
        var next = $"{Fingerprint(packagers)} {Hash(all)} {output.Cursor}";
        _memoryFile.Save(after with { Cursor = next });
        return report with { Cursor = next };
    }

    private async IAsyncEnumerable<IReadOnlyList<Candidate>> LoadAsync(
        IReadOnlyList<string> paths,
        SourceMemory? memory,
        PluginOutput output,
        Packagers packagers,
        Dictionary<string, string> marks,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var some in paths.Chunk(CandidatesAtOnce))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var candidates = new List<Candidate>(some.Length);
            foreach (var path in some)
            {
                if (output.Packages.TryGetValue(path, out var package))
                {
                    var (candidate, mark) = Load(package, packagers);
                    candidates.Add(candidate);
                    marks[path] = mark;
                }
                else
                {
                    // One that did not change gets a name that another one held: its files are those of its archive.
                    candidates.Add(_intake.Recall(path, memory!.Packages[path]));
                }
            }

            yield return candidates;
            await Task.Yield();
        }
    }

    private (Candidate Candidate, string Mark) Load(PluginPackage package, Packagers packagers)
    {
        SourceTree? tree = null;
        string? problem = null;
        var time = package.Time ?? DateTimeOffset.UnixEpoch;
        try
        {
            var files = PackageDirectory.Find(package.Directory);
            tree = PackageDirectory.Read(files, _settings.TreeLimits);
            time = package.Time ?? PackageDirectory.Newest(files);
        }
        catch (Exception refused) when (refused is SourceTreeException or IOException or UnauthorizedAccessException)
        {
            problem = $"Its directory cannot be taken: {refused.Message.TrimEnd('.')}.";
        }

        var candidate = new Candidate
        {
            Path = package.Path,
            Tree = tree,
            Problem = problem,
            Revision = package.Revision,
            Time = time,
            Packager = packagers.Name(package.Author, tree),
        };
        var said = $"{package.Revision}\0{package.Time:O}\0{package.Author}";
        return (candidate, Hash($"{tree?.Sha256}\0{problem}\0{said}"));
    }

    /// <summary>Changes when the settings mean other packages, and then everything is asked for anew.</summary>
    private string Fingerprint(Packagers packagers) =>
        Hash($"{string.Join('\0', _settings.Command)}\n{_settings.Repository}\n{packagers.Text}")[..16];

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
