using System.Text.Json.Serialization;
using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Configuring;

/// <summary>What kind of source it is.</summary>
[JsonConverter(typeof(WordConverter<SourceKind>))]
internal enum SourceKind
{
    /// <summary>A git repository.</summary>
    Git,

    /// <summary>A Subversion repository.</summary>
    Svn,

    /// <summary>A Mercurial repository.</summary>
    Hg,

    /// <summary>A directory on this machine.</summary>
    Directory,

    /// <summary>A program that finds them.</summary>
    Plugin,

    /// <summary>Source packages that a web server lists.</summary>
    Web,

    /// <summary>Packages of the AUR.</summary>
    Aur,
}

/// <summary>Where the packages are in a source.</summary>
[JsonConverter(typeof(WordConverter<SourceLayout>))]
internal enum SourceLayout
{
    /// <summary>One directory a package.</summary>
    Directories,

    /// <summary>The whole source is one package, its PKGBUILD at the top.</summary>
    Single,
}

/// <summary>Which changes of a source wait until an operator accepts them.</summary>
[JsonConverter(typeof(WordConverter<SourceReview>))]
internal enum SourceReview
{
    /// <summary>None.</summary>
    Off,

    /// <summary>Those of packages that were built before, as far as they are more than version and checksums.</summary>
    Changes,

    /// <summary>These, and new packages.</summary>
    All,
}

/// <summary>What the packages' own <c>.SRCINFO</c> count for.</summary>
[JsonConverter(typeof(WordConverter<SourceSrcinfo>))]
internal enum SourceSrcinfo
{
    /// <summary>Nothing.</summary>
    Ignore,

    /// <summary>They must say what the PKGBUILDs say.</summary>
    Verify,

    /// <summary>They are read in place of the PKGBUILDs.</summary>
    Trust,
}

/// <summary>A source of packages.</summary>
internal sealed record SourceSection
{
    /// <summary>Its name, shown in <c>status</c>.</summary>
    public required string Name { get; set; }

    /// <summary>What kind of source it is.</summary>
    public required SourceKind Kind { get; set; }

    /// <summary>For git, svn and hg: where the repository is; a path is relative to this file.</summary>
    public string? Url { get; set; }

    /// <summary>For git: the branch; the remote's default one if not given. For hg: the branch or bookmark;
    /// <c>default</c> if not given.</summary>
    public string? Branch { get; set; }

    /// <summary>For git: the repository that <see cref="List"/> is in.</summary>
    public string? ListUrl { get; set; }

    /// <summary>For git: a pattern of tags, of which the newest is built.</summary>
    public string? Tags { get; set; }

    /// <summary>For git, svn and hg: directories in a package's directory, of which the first that holds a PKGBUILD is
    /// taken; for svn <c>trunk</c> if not given.</summary>
    public IReadOnlyList<string>? Pick { get; set; }

    /// <summary>For a directory: where it is, relative to this file.</summary>
    public string? Path { get; set; }

    /// <summary>For the AUR: the packages to take.</summary>
    public IReadOnlyList<string>? Packages { get; set; }

    /// <summary>A file with a name a line, relative to this file. For git: the repositories of one package each; then
    /// <see cref="Url"/> holds <c>{name}</c>. For the AUR: further packages to take.</summary>
    public string? List { get; set; }

    /// <summary>For the AUR: whether what the packages depend on comes along.</summary>
    public bool? Follow { get; set; }

    /// <summary>For a plug-in: the program and its arguments; a program with a slash in it is a path relative to this
    /// file.</summary>
    public IReadOnlyList<string>? Command { get; set; }

    /// <summary>Where the packages are in it; <see cref="SourceLayout.Directories"/> if not given.</summary>
    public SourceLayout? Layout { get; set; }

    /// <summary>The repository that its builds go to; the first one if not given.</summary>
    public string? Repository { get; set; }

    /// <summary>How often it is looked at; <see cref="PollInterval"/> says what holds if not given.</summary>
    [JsonConverter(typeof(DurationConverter))]
    public TimeSpan? Poll { get; set; }

    /// <summary>How often it is looked at: every minute if not said otherwise, and servers of others that count
    /// questions every ten minutes.</summary>
    [JsonIgnore]
    public TimeSpan PollInterval => Poll ?? TimeSpan.FromMinutes(Kind == SourceKind.Aur ? 10 : 1);

    /// <summary>How often the upstreams of packages with a <c>pkgver()</c> are asked whether they moved; never if not
    /// given.</summary>
    [JsonConverter(typeof(DurationConverter))]
    public TimeSpan? UpstreamPoll { get; set; }

    /// <summary>Which changes wait for an operator; <see cref="ReviewPolicy"/> says what holds if not given.</summary>
    public SourceReview? Review { get; set; }

    /// <summary>Which changes wait for an operator: none if not said otherwise, and where anybody may change things
    /// all.</summary>
    [JsonIgnore]
    public ReviewPolicy ReviewPolicy => Review switch
    {
        null when Kind == SourceKind.Aur => ReviewPolicy.All,
        SourceReview.All => ReviewPolicy.All,
        SourceReview.Changes => ReviewPolicy.Changes,
        _ => ReviewPolicy.Off,
    };

    /// <summary>What a <c>.SRCINFO</c> beside a PKGBUILD counts for.</summary>
    public SourceSrcinfo Srcinfo { get; set; }

    /// <summary>A poll that takes longer is given up.</summary>
    [JsonConverter(typeof(DurationConverter))]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>Where the packager is looked for, in this order; <see cref="PackagerSettings.Order"/>'s if not
    /// given.</summary>
    public IReadOnlyList<string>? Packager { get; set; }

    /// <summary>A file that says which packager is named for which committer, relative to this file.</summary>
    public string? Packagers { get; set; }
}
