using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Master;
using Quarters.Node;

namespace Quarters.Configuring;

/// <summary>A farm on this machine: quarters.toml checked, with paths made absolute.</summary>
internal sealed record Farm
{
    /// <summary>What the configuration is called unless told otherwise.</summary>
    internal const string FileName = "quarters.toml";

    /// <summary>The configuration as written.</summary>
    internal required FarmFile File { get; init; }

    /// <summary>The configuration's own name.</summary>
    internal required string OwnName { get; init; }

    /// <summary>The directory of the configuration: paths in it are relative to this.</summary>
    internal required string Directory { get; init; }

    /// <summary>Where the master serves.</summary>
    internal required IPEndPoint MasterListen { get; init; }

    /// <summary>Where the builder serves.</summary>
    internal required IPEndPoint BuilderListen { get; init; }

    /// <summary>What the master keeps.</summary>
    internal string MasterDirectory => Absolute(Path.Combine(File.State, "master"));

    /// <summary>What the builder keeps.</summary>
    internal string BuilderDirectory => Absolute(Path.Combine(File.State, "builder"));

    /// <summary>The builder's name.</summary>
    internal string BuilderName => File.Builder.Name ?? File.Name;

    /// <summary>Where this machine reaches the master.</summary>
    internal Uri MasterUrl => Reachable(MasterListen);

    /// <summary>Where this machine reaches the builder.</summary>
    internal Uri BuilderUrl => Reachable(BuilderListen);

    /// <summary>Reads and checks a configuration.</summary>
    /// <exception cref="ConfigurationException">It is not one; every mistake in it is named.</exception>
    internal static Farm Load(string path)
    {
        path = Path.GetFullPath(path);
        var file = Configuration.Load(path, FarmJson.Default.FarmFile);
        var directory = Path.GetDirectoryName(path)!;
        var problems = FarmCheck.Problems(file).Concat(FarmCheck.Authorities(file.Authorities, directory)).ToList();
        if (problems.Count > 0)
            throw new ConfigurationException(problems.ConvertAll(problem => $"{path}: {problem}"));
        return new Farm
        {
            File = file,
            Directory = directory,
            OwnName = Path.GetFileName(path),
            MasterListen = IPEndPoint.Parse(file.Listen),
            BuilderListen = IPEndPoint.Parse(file.Builder.Listen),
        };
    }

    /// <summary>Finds the configuration: here, or in the nearest directory above.</summary>
    /// <exception cref="MistakeException">There is none.</exception>
    internal static string Find(string? given) => TryFind(given) ?? throw new MistakeException(
        $"there is no {FileName} here or above; make one with `quarters init`, or name it with --config FILE");

    /// <summary>Finds the configuration, if there is one.</summary>
    internal static string? TryFind(string? given)
    {
        if (given is not null)
            return given;
        for (var at = new DirectoryInfo(Environment.CurrentDirectory); at is not null; at = at.Parent)
        {
            var path = Path.Combine(at.FullName, FileName);
            if (System.IO.File.Exists(path))
                return path;
        }

        return null;
    }

    /// <summary>A path of the configuration.</summary>
    internal string Absolute(string path) => Path.GetFullPath(path, Directory);

    /// <summary>Where key and certificate of the master or the builder are, both of which look for them
    /// there.</summary>
    internal static string IdentityIn(string stateDirectory) => new MasterFolders(stateDirectory).Identity;

    /// <summary>The master's key.</summary>
    /// <exception cref="MistakeException">There is no certificate.</exception>
    internal NodeKey MasterKey() => KeyIn(MasterDirectory);

    /// <summary>The builder's key.</summary>
    /// <exception cref="MistakeException">There is no certificate.</exception>
    internal NodeKey BuilderKey() => KeyIn(BuilderDirectory);

    /// <summary>The key of the node that keeps its state in a directory.</summary>
    /// <exception cref="MistakeException">There is no certificate.</exception>
    // From the certificate: reading it needs no right to use the key.
    internal static NodeKey KeyIn(string stateDirectory)
    {
        var path = Path.Combine(IdentityIn(stateDirectory), Identity.CertificateFile);
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificateFromFile(path);
            return NodeKey.Of(certificate);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new MistakeException(
                $"the certificate {path} cannot be read ({e.Message.TrimEnd('.')}); `quarters init` makes it");
        }
    }

    /// <summary>What planning depends on.</summary>
    /// <param name="builderKey">The key of the builder in the same process; null where the master runs alone.</param>
    internal MasterSettings Settings(NodeKey? builderKey) => new()
    {
        Architectures = [.. File.Architectures],
        Traits = File.Architecture.ToImmutableSortedDictionary(
            one => one.Name, one => new ArchitectureTraits([.. one.Accepts], [.. one.Makepkg]),
            StringComparer.Ordinal),
        Repositories = [.. File.Repository.Select(repository => repository.Name)],
        Outside = [.. File.Outside.Select(outside => new OutsideRepository(outside.Name, [.. outside.Servers]))],
        Promotions =
        [
            .. File.Repository.Where(one => one.PromoteTo is not null)
                .Select(one => new Promotion(one.Name, one.PromoteTo!, (long?)one.After?.TotalSeconds)),
        ],
        BuildsOn = File.Repository.Where(one => one.BuildsOn is not null)
            .ToImmutableSortedDictionary(
                one => one.Name, one => one.BuildsOn!.ToImmutableArray(), StringComparer.Ordinal),
        Independent = [.. File.Independent.Select(one => new IndependentBuilds(one.Builds, [.. one.Packages]))],
        Sources = [.. File.Source.Select(source => source.Name)],
        Builders = builderKey is null
            ? []
            : [new ValidatedBuilder(
                BuilderName, BuilderUrl.ToString(), builderKey.ToString(), [.. File.Architectures])],
        BasePackages = [.. File.Base],
        Limits = new BuildLimits
        {
            MemoryBytes = File.Limits.Memory,
            Processes = File.Limits.Processes,
            DiskBytes = File.Limits.Disk,
            TimeSeconds = (int)File.Limits.Time.TotalSeconds,
            SilenceSeconds = (int)File.Limits.Silence.TotalSeconds,
        },
        StartsRebuilds = File.LostSonames == LostSonames.Start,
        Keep = new KeepPolicy
        {
            Versions = File.Keep.Versions,
            Builds = File.Keep.Builds,
            Seconds = (long)File.Keep.Time.TotalSeconds,
        },
        MaxAttempts = File.Attempts,
        LeaseSeconds = (int)File.Lease.TotalSeconds,
    };

    /// <summary>The repository that a source's builds go to.</summary>
    internal string RepositoryOf(SourceSection source) => source.Repository ?? File.Repository[0].Name;

    private static Uri Reachable(IPEndPoint listen)
    {
        var address = listen.Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : listen.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : listen.Address;
        return new Uri($"https://{new IPEndPoint(address, listen.Port)}/");
    }
}
