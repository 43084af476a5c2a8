using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Quarters.Chroots.Builds;
using Quarters.Chroots.Repositories;
using Quarters.Core.Documents;
using Quarters.Linux;
using Quarters.Linux.Processes;

[assembly: AssemblyFixture(typeof(Quarters.Chroots.Tests.Workbench))]

namespace Quarters.Chroots.Tests;

/// <summary>A store, the mini distribution, and packages to build: shared by all tests, as builds on a machine share
/// it.
/// </summary>
public sealed class Workbench : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, int> _names = new(StringComparer.Ordinal);

    public Workbench()
    {
        Repository = Environment.GetEnvironmentVariable("QUARTERS_TEST_REPO")
            ?? throw new InvalidOperationException(
                "These tests build real packages: set QUARTERS_TEST_REPO to a pacman repository with core.db and its "
                + "packages. eng/mini-distribution makes one.");
        if (!File.Exists(Path.Combine(Repository, "core.db")))
            throw new InvalidOperationException($"{Repository} holds no core.db; eng/mini-distribution makes one.");
        if (LibC.EffectiveUserId != 0)
            throw new InvalidOperationException(
                "These tests need root: they also build as another user with subordinate ids.");
        Snapshot = RepositorySnapshot.Pin("x86_64", [Core("file://" + Repository)]);
        Directory = System.IO.Directory.CreateTempSubdirectory("quarters-chroots-").FullName;
        // The rootless builder must be able to come in.
        File.SetUnixFileMode(Directory, (UnixFileMode)0b111_101_101);
        Chroots = new ChrootStore(new ChrootOptions
        {
            Directory = this["store"],
            SourceDirectories = [System.IO.Directory.CreateDirectory(this["fetched"]).FullName],
            Time = TimeProvider.System,
        });
    }

    internal static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    internal string Directory { get; }

    internal string Repository { get; }

    internal RepositorySnapshot Snapshot { get; }

    internal ChrootStore Chroots { get; }

    internal string this[string name] => Path.Combine(Directory, name);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        // Some of it belongs to subordinate ids of another user; root may remove all of it.
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec { FileName = "rm", Arguments = ["-rf", "--one-file-system", Directory] },
                CancellationToken.None);
        if (!result.Succeeded)
            throw new IOException(result.StandardError);
    }

    internal PinnedRepository Core(string server) => new()
    {
        Name = "core",
        DatabasePath = Path.Combine(Repository, "core.db"),
        Servers = [server],
    };

    /// <summary>Writes a package's directory. The text is added to a PKGBUILD with the usual head.</summary>
    internal string Package(string name, string text, params (string Name, string Content)[] files)
    {
        var directory = System.IO.Directory.CreateDirectory(this[$"sources/{name}"]).FullName;
        File.WriteAllText(Path.Combine(directory, "PKGBUILD"), $"""
            pkgname={name}
            pkgver=1.0
            pkgrel=1
            arch=(x86_64)
            url="https://{name}.invalid/"
            license=(MIT)
            {text}

            """);
        foreach (var (file, content) in files)
            File.WriteAllText(Path.Combine(directory, file), content);
        return directory;
    }

    internal BuildRequest Request(string directory, LogSink? log = null)
    {
        var name = Path.GetFileName(directory);
        var number = _names.AddOrUpdate(name, 1, (_, last) => last + 1);
        return new BuildRequest
        {
            SourceDirectory = directory,
            Pkgbase = name,
            Dependencies = [],
            Packager = "Jane Dev <jane@example.org>",
            SourceDate = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000),
            Snapshot = Snapshot,
            Fetch = (_, _, _) => throw new IOException("there is no network in this test"),
            OutputDirectory = System.IO.Directory.CreateDirectory(this[$"out/{name}.{number}"]).FullName,
            Limits = new BuildLimits
            {
                MemoryBytes = 1L << 30,
                Processes = 500,
                DiskBytes = 2L << 30,
                TimeSeconds = 900
            },
            Log = log,
        };
    }

    internal async Task<BuildOutcome.Built> BuiltAsync(BuildRequest request)
    {
        var outcome = await Chroots.BuildAsync(request, Cancellation);
        if (outcome is BuildOutcome.Failed { Failure: var failure })
            Assert.Fail($"{failure.Stage} {failure.Kind}: {failure.Message}\n{string.Join('\n', failure.LastLines)}");
        return Assert.IsType<BuildOutcome.Built>(outcome);
    }

    internal async Task<BuildFailure> FailedAsync(BuildRequest request)
    {
        var outcome = await Chroots.BuildAsync(request, Cancellation);
        return Assert.IsType<BuildOutcome.Failed>(outcome).Failure;
    }

    /// <summary>The command lines of processes that hold a word.</summary>
    internal static IReadOnlyList<string> ProcessesWith(string word)
    {
        var found = new List<string>();
        foreach (var process in System.IO.Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                var command = File.ReadAllText(Path.Combine(process, "cmdline"));
                if (command.Contains(word, StringComparison.Ordinal))
                    found.Add(command.Replace('\0', ' '));
            }
            catch (IOException)
            {
                // It has ended, or the directory is none of a process.
            }
        }

        return found;
    }

    /// <summary>The mounts below a path in the mount namespace of any process.</summary>
    internal static IReadOnlyList<string> MountsBelow(string path)
    {
        var found = new List<string>();
        foreach (var process in System.IO.Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                found.AddRange(File.ReadLines(Path.Combine(process, "mountinfo"))
                    .Where(line => line.Contains(path, StringComparison.Ordinal)));
            }
            catch (IOException)
            {
                // It has ended, or the directory is none of a process.
            }
        }

        return found;
    }

    internal static async Task Until(Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(10), $"It did not come true in time: {what}.");
            await Task.Delay(20, Cancellation);
        }
    }
}

/// <summary>A log that a test reads while it grows.</summary>
internal sealed class LogText
{
    private readonly StringBuilder _text = new();

    internal void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_text)
            _text.Append(Encoding.UTF8.GetString(bytes));
    }

    public override string ToString()
    {
        lock (_text)
            return _text.ToString();
    }
}
