using Quarters.Configuring;
using Quarters.Core.Sources;
using Quarters.Linux.Files;
using Quarters.Master;
using Quarters.Master.Polling;
using Quarters.Sources;
using Quarters.Sources.Aur;
using Quarters.Sources.Directories;
using Quarters.Sources.Git;
using Quarters.Sources.Hg;
using Quarters.Sources.Intake;
using Quarters.Sources.Pkgbuilds;
using Quarters.Sources.Plugins;
using Quarters.Sources.Svn;
using Quarters.Sources.Upstreams;
using Quarters.Sources.Versioned;
using Quarters.Sources.Web;

namespace Quarters.Running;

/// <summary>The sources that a configuration names, ready to be polled. What reads them for a master is one, however
/// often the configuration is read again.</summary>
internal sealed class FarmSources : IDisposable
{
    /// <summary>More trees than any source holds at a time; beyond it the oldest are read again when they come
    /// back.</summary>
    private const int TreesRemembered = 100_000;

    private readonly MasterFolders _folders;
    private readonly OutsideOffers _offers;
    private readonly PkgbuildReader _reader;
    private readonly ArchiveStore _archives;
    private readonly TreeCache _trees;

    /// <param name="folders">The master's.</param>
    /// <param name="offers">What the repositories of others have.</param>
    internal FarmSources(MasterFolders folders, OutsideOffers offers)
    {
        (_folders, _offers) = (folders, offers);
        _reader = new PkgbuildReader(
            new PkgbuildReaderSettings
            {
                WorkDirectory = Path.Combine(folders.Root, "reading"),
                Waiting = TimeSpan.FromHours(1),
            },
            TimeProvider.System);
        _archives = new ArchiveStore(folders.SourcePackages, LinuxDisk.Instance);
        _trees = new TreeCache(Path.Combine(folders.Root, "trees"), TreesRemembered);
    }

    internal IReadOnlyList<PolledSource> Open(Farm farm) =>
    [
        .. farm.File.Source.Select(source => Polled(
            farm, _folders, new PackageIntake(_reader, _trees, _archives) { SrcInfo = PolicyOf(source) }, _offers,
            source)),
    ];

    /// <summary>What makes the source packages of rebuilds.</summary>
    internal ReleaseBump NewBump() => new(new PackageIntake(_reader, _trees, _archives), _archives);

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    private static SrcInfoPolicy PolicyOf(SourceSection source) => source.Srcinfo switch
    {
        SourceSrcinfo.Verify => SrcInfoPolicy.Verify,
        SourceSrcinfo.Trust => SrcInfoPolicy.Trust,
        _ => SrcInfoPolicy.Ignore,
    };

    private static PolledSource Polled(
        Farm farm, MasterFolders folders, PackageIntake intake, OutsideOffers offers, SourceSection source)
    {
        try
        {
            ISource opened = source.Kind switch
            {
                SourceKind.Git when source.List is not null => Repositories(farm, folders, intake, source),
                SourceKind.Git => Git(farm, folders, intake, source),
                SourceKind.Aur => Aur(farm, folders, intake, offers, source),
                SourceKind.Web => Web(farm, folders, intake, source),
                SourceKind.Plugin => Plugin(farm, folders, intake, source),
                SourceKind.Svn => Svn(farm, folders, intake, source),
                SourceKind.Hg => Hg(farm, folders, intake, source),
                _ => Plain(farm, folders, intake, source),
            };
            if (source.UpstreamPoll is { } interval)
                opened = new FollowingSource(
                    opened,
                    new FollowSettings { Interval = interval, StateDirectory = folders.Source(source.Name) },
                    intake,
                    new PkgverReader(Path.Combine(folders.Root, "reading"), TimeProvider.System),
                    TimeProvider.System);
            return new PolledSource(
                source.Name, WordConverter<SourceKind>.Of(source.Kind), opened, source.PollInterval, source.Deadline)
            {
                Review = source.ReviewPolicy == ReviewPolicy.Off
                    ? null
                    : new ReviewDesk(intake, source.ReviewPolicy, Path.Combine(folders.Root, "reading", "reviews")),
            };
        }
        catch (SourceSettingsException e)
        {
            throw new MistakeException(
                $"{Path.Combine(farm.Directory, farm.OwnName)}: source \"{source.Name}\": {e.Message}");
        }
    }

    /// <summary>What git understands, <c>host:path</c> and <c>scheme://…</c>, as it is; the rest are paths.</summary>
    private static string UrlOrPath(Farm farm, string url) =>
        url.Contains(':', StringComparison.Ordinal) ? url : farm.Absolute(url);

    private static GitRepositoriesSource Repositories(
        Farm farm, MasterFolders folders, PackageIntake intake, SourceSection source)
    {
        var settings = new GitRepositoriesSettings
        {
            Name = source.Name,
            Url = UrlOrPath(farm, source.Url!),
            List = source.ListUrl is null ? farm.Absolute(source.List!) : source.List!.Trim('/'),
            ListUrl = source.ListUrl is { } list ? UrlOrPath(farm, list) : null,
            Reference = new GitReference(source.Branch, source.Tags),
            Repository = farm.RepositoryOf(source),
            Packagers = Packagers(farm, source),
            StateDirectory = folders.Source(source.Name),
        };
        return new GitRepositoriesSource(settings, intake);
    }

    private static GitSource Git(Farm farm, MasterFolders folders, PackageIntake intake, SourceSection source)
    {
        var settings = new GitSourceSettings
        {
            Name = source.Name,
            Url = UrlOrPath(farm, source.Url!),
            Reference = new GitReference(source.Branch, source.Tags),
            Layout = Layout(source),
            Repository = farm.RepositoryOf(source),
            Packagers = Packagers(farm, source),
            StateDirectory = folders.Source(source.Name),
        };
        return new GitSource(settings, intake);
    }

    private static DirectorySource Plain(Farm farm, MasterFolders folders, PackageIntake intake, SourceSection source)
    {
        var settings = new DirectorySourceSettings
        {
            Name = source.Name,
            Path = farm.Absolute(source.Path!),
            Repository = farm.RepositoryOf(source),
            Packagers = Packagers(farm, source),
            StateDirectory = folders.Source(source.Name),
        };
        return new DirectorySource(settings, intake);
    }

    private static PluginSource Plugin(Farm farm, MasterFolders folders, PackageIntake intake, SourceSection source)
    {
        var program = source.Command![0];
        var settings = new PluginSourceSettings
        {
            Name = source.Name,
            Command =
            [
                program.Contains('/', StringComparison.Ordinal) ? farm.Absolute(program) : program,
                .. source.Command.Skip(1),
            ],
            Repository = farm.RepositoryOf(source),
            Packagers = Packagers(farm, source),
            StateDirectory = folders.Source(source.Name),
        };
        return new PluginSource(settings, intake);
    }

    private static WebSource Web(Farm farm, MasterFolders folders, PackageIntake intake, SourceSection source)
    {
        var settings = new WebSourceSettings
        {
            Name = source.Name,
            Url = new Uri(source.Url!),
            Repository = farm.RepositoryOf(source),
            Packagers = Packagers(farm, source),
            StateDirectory = folders.Source(source.Name),
        };
        return new WebSource(settings, intake, TimeProvider.System);
    }

    private static AurSource Aur(
        Farm farm, MasterFolders folders, PackageIntake intake, OutsideOffers offers, SourceSection source)
    {
        var settings = new AurSourceSettings
        {
            Name = source.Name,
            Packages = [.. source.Packages ?? []],
            ListFile = source.List is { } list ? farm.Absolute(list) : null,
            Follow = source.Follow ?? false,
            Elsewhere = offers.Find,
            Repository = farm.RepositoryOf(source),
            Packagers = Packagers(farm, source),
            StateDirectory = folders.Source(source.Name),
        };
        if (source.Url is { } url)
            settings = settings with { Url = new Uri(url.TrimEnd('/') + "/") };
        return new AurSource(settings, intake, TimeProvider.System);
    }

    private static SvnSource Svn(Farm farm, MasterFolders folders, PackageIntake intake, SourceSection source)
    {
        var url = source.Url!.Contains(':', StringComparison.Ordinal)
            ? source.Url
            : new Uri(farm.Absolute(source.Url)).AbsoluteUri;
        var settings = new SvnSourceSettings
        {
            Name = source.Name,
            Url = url,
            Layout = Layout(source) with { Picks = [.. source.Pick ?? ["trunk"]] },
            Repository = farm.RepositoryOf(source),
            Packagers = Packagers(farm, source),
            StateDirectory = folders.Source(source.Name),
        };
        return new SvnSource(settings, intake);
    }

    private static HgSource Hg(Farm farm, MasterFolders folders, PackageIntake intake, SourceSection source)
    {
        var settings = new HgSourceSettings
        {
            Name = source.Name,
            Url = UrlOrPath(farm, source.Url!),
            Branch = source.Branch ?? "default",
            Layout = Layout(source),
            Repository = farm.RepositoryOf(source),
            Packagers = Packagers(farm, source),
            StateDirectory = folders.Source(source.Name),
        };
        return new HgSource(settings, intake);
    }

    private static PackageLayout Layout(SourceSection source) => new()
    {
        Depth = source.Layout == SourceLayout.Single ? 0 : 1,
        Picks = [.. source.Pick ?? []],
    };

    private static PackagerSettings Packagers(Farm farm, SourceSection source)
    {
        var settings = new PackagerSettings { MapFile = source.Packagers is { } map ? farm.Absolute(map) : null };
        return source.Packager is { } order ? settings with { Order = [.. order] } : settings;
    }
}
