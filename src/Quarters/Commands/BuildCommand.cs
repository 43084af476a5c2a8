using System.CommandLine;
using System.Text;
using System.Text.Json;
using Quarters.Alpm;
using Quarters.Building;
using Quarters.Configuring;
using Quarters.Core.Documents;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary><c>quarters build [DIR]</c>: one PKGBUILD directory, here and now, in a clean chroot.</summary>
internal static class BuildCommand
{
    private static readonly Argument<string> Directory = new("DIR")
    {
        Description = "the directory with the PKGBUILD; the current directory if not given",
        DefaultValueFactory = _ => ".",
    };

    private static readonly Option<string?> Out = new("--out")
    {
        Description = "where packages, log and .BUILDINFO go; DIR if not given",
        HelpName = "DIR",
    };

    private static readonly Option<string[]> Repo = new("--repo")
    {
        Description = "a repository to install from, before those of quarters.toml or else pacman.conf, and instead of "
            + "one of its name; may be given again",
        HelpName = "NAME=URL|DIR",
    };

    private static readonly Option<string[]> Base = new("--base")
    {
        Description = "packages of the clean chroot; base and base-devel if not given",
        HelpName = "PKG",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string[]> Sources = new("--sources")
    {
        Description = "a directory with upstream files fetched before, like SRCDEST; only read; may be given again",
        HelpName = "DIR",
    };

    private static readonly Option<bool> NoCheck = new("--nocheck")
    {
        Description = "leave out check() and what only it needs",
    };

    private static readonly Option<bool> Verbose = new("--verbose", "-v") { Description = "show the whole log" };
    private static readonly Option<bool> Json = new("--json") { Description = "print the result as one JSON object" };
    private static readonly Option<bool> Keep = new("--keep") { Description = "keep the chroot of a failed build" };

    private static readonly Option<bool> Shell = new("--shell")
    {
        Description = "open a shell in the chroot of a failed build, as the user that builds",
    };

    private static readonly Option<string?> Memory = new("--memory")
    {
        Description = "memory of all processes",
        HelpName = "\"8 GiB\"",
    };

    private static readonly Option<int?> Processes = new("--processes")
    {
        Description = "processes at once",
        HelpName = "N",
    };

    private static readonly Option<string?> Disk = new("--disk")
    {
        Description = "what it may write",
        HelpName = "\"40 GiB\"",
    };

    private static readonly Option<string?> Time = new("--time")
    {
        Description = "how long it may take",
        HelpName = "\"12 h\"",
    };


    private static readonly Option<string?> Silence = new("--silence")
    {
        Description = "how long it may neither print nor compute",
        HelpName = "\"30 min\"",
    };

    private static readonly Option<string?> OnFarm = new("--farm")
    {
        Description = "have the master build this package base as its source says now, instead of building here",
        HelpName = "PKGBASE",
    };

    internal static Command Create()
    {
        var command = new Command("build", "Build one PKGBUILD in a clean chroot; the packages land beside it.")
        {
            Directory, Out, Repo, Base, Sources, NoCheck, Verbose, Json, Keep, Shell,
            Memory, Processes, Disk, Time, Silence, OnFarm,
        };
        var post = new SignalPost().AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
            parsed.GetValue(OnFarm) is { } pkgbase
                ? post.SendAsync(
                    parsed, (id, time) => new BuildNow { Id = id, Time = time, Name = pkgbase },
                    cancellationToken)
                : new LocalBuild(Wish(parsed), parsed.InvocationConfiguration, TimeProvider.System)
                    .RunAsync(cancellationToken));
        return command.WithExample("""
            quarters build                                   the PKGBUILD here
            quarters build hello --out /srv/repo             packages, hello-2.12-1-x86_64.log and .BUILDINFO go there
            quarters build hello --repo mine=/srv/repo       dependencies also from a repository of one's own
            quarters build hello --json | jq .overheadSeconds
            quarters build --farm hello                      the master builds it, although nothing asks for it
            Exit code 0: built. 1: the package failed. 2: it could not be tried.
            """);
    }

    private static BuildWish Wish(ParseResult parsed)
    {
        var directory = Path.GetFullPath(parsed.GetRequiredValue(Directory));
        var basePackages = parsed.GetValue(Base) ?? [];
        if (basePackages.FirstOrDefault(name => !PackageName.IsValid(name)) is { } malformed)
            throw new MistakeException($"--base {malformed}: that cannot be the name of a package");
        var sources = (parsed.GetValue(Sources) ?? []).Select(Path.GetFullPath).ToList();
        if (sources.Find(path => !System.IO.Directory.Exists(path)) is { } missing)
            throw new MistakeException($"--sources {missing}: there is no such directory");
        return new BuildWish
        {
            Directory = directory,
            Output = parsed.GetValue(Out) is { } output ? Path.GetFullPath(output) : directory,
            Repositories = [.. parsed.GetValue(Repo) ?? []],
            Base = [.. basePackages],
            Sources = [.. sources],
            Limits = Limits(parsed),
            NoCheck = parsed.GetValue(NoCheck),
            Verbose = parsed.GetValue(Verbose),
            Json = parsed.GetValue(Json),
            Keep = parsed.GetValue(Keep),
            Shell = parsed.GetValue(Shell),
        };
    }

    private static BuildLimits Limits(ParseResult parsed)
    {
        var usual = new BuildLimits();
        return new BuildLimits
        {
            MemoryBytes = Bytes(parsed, Memory) ?? usual.MemoryBytes,
            Processes = parsed.GetValue(Processes) switch
            {
                null => usual.Processes,
                > 0 and var some => some,
                _ => throw new MistakeException("--processes must be more than none"),
            },
            DiskBytes = Bytes(parsed, Disk) ?? usual.DiskBytes,
            TimeSeconds = Seconds(parsed, Time) ?? usual.TimeSeconds,
            SilenceSeconds = Seconds(parsed, Silence) ?? usual.SilenceSeconds,
        };
    }

    private static long? Bytes(ParseResult parsed, Option<string?> option) => Read(parsed, option, json =>
        new BytesConverter().Read(ref json, typeof(long), BuildReportJson.Default.Options) is > 0 and var bytes
            ? bytes
            : throw new JsonException("it must be more than nothing"));

    private static int? Seconds(ParseResult parsed, Option<string?> option) => Read(parsed, option, json =>
        (int)Math.Max(1, new DurationConverter().Read(ref json, typeof(TimeSpan),
            BuildReportJson.Default.Options).TotalSeconds));

    private delegate T ReadValue<T>(Utf8JsonReader json);

    /// <summary>Sizes and durations are written as in quarters.toml; a plain number needs no quotes here.</summary>
    private static T? Read<T>(ParseResult parsed, Option<string?> option, ReadValue<T> read)
        where T : struct
    {
        if (parsed.GetValue(option) is not { } text)
            return null;
        var number = text.Length > 0 && text.All(char.IsAsciiDigit);
        var value = number ? text : '"' + JsonEncodedText.Encode(text).ToString() + '"';
        var json = new Utf8JsonReader(Encoding.UTF8.GetBytes(value));
        try
        {
            json.Read();
            return read(json);
        }
        catch (JsonException refused)
        {
            throw new MistakeException($"{option.Name} {text}: {refused.Message}");
        }
    }
}
