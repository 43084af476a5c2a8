using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using Quarters.Builder;
using Quarters.Commands;
using Quarters.Core.Documents;
using Quarters.Node;

namespace Quarters.Configuring;

/// <summary>A builder on this machine: builder.toml checked, with paths made absolute.</summary>
internal sealed record BuilderHome
{
    /// <summary>What the configuration of a builder is called.</summary>
    internal const string FileName = "builder.toml";

    /// <summary>The configuration as written.</summary>
    internal required BuilderFile File { get; init; }

    /// <summary>The directory of the configuration: paths in it are relative to this.</summary>
    internal required string Directory { get; init; }

    /// <summary>What the builder keeps.</summary>
    internal string StateDirectory => Path.GetFullPath(File.State, Directory);

    /// <summary>Where others reach it.</summary>
    internal Uri Url => new(File.Url.TrimEnd('/') + "/");

    /// <summary>Where its master is.</summary>
    internal Uri MasterUrl => new(File.Master.Url.TrimEnd('/') + "/");

    /// <summary>Who its master is.</summary>
    internal NodeKey MasterKey => NodeKey.Parse(File.Master.Key);

    /// <summary>Whether a configuration is one of a builder: it is called so.</summary>
    internal static bool IsOne(string path) => Path.GetFileName(path) == FileName;

    /// <summary>Reads and checks a configuration.</summary>
    /// <exception cref="ConfigurationException">It is not one; every mistake in it is named.</exception>
    internal static BuilderHome Load(string path)
    {
        path = Path.GetFullPath(path);
        var file = Configuration.Load(path, FarmJson.Default.BuilderFile);
        var directory = Path.GetDirectoryName(path)!;
        var problems = FarmCheck.Problems(file).Concat(FarmCheck.Authorities(file.Authorities, directory)).ToList();
        if (problems.Count > 0)
            throw new ConfigurationException(problems.ConvertAll(problem => $"{path}: {problem}"));
        return new BuilderHome { File = file, Directory = directory };
    }

    /// <summary>What the builder is started with.</summary>
    internal BuilderOptions Options(ILoggerFactory loggers) =>
        Of(File, Directory, MasterKey, loggers) with
        {
            Name = File.Name!,
            StateDirectory = StateDirectory,
            PublicAddress = Url,
            Publish = File.Publish is { } publish
                ? new PublishSettings
                {
                    Folder = Path.GetFullPath(publish.Folder, Directory),
                    Command = publish.Command,
                    Interval = publish.Interval,
                }
                : null,
            Pulling = PullingOf(File.Authorities, Directory),
            MasterUrl = MasterUrl,
            Architectures = [.. File.Architectures],
            LimitsAtMost = new BuildLimits
            {
                MemoryBytes = File.Memory ?? long.MaxValue,
                Processes = File.Limits.Processes ?? int.MaxValue,
                DiskBytes = File.Limits.Disk ?? long.MaxValue,
                TimeSeconds = (int)(File.Limits.Time ?? TimeSpan.FromDays(7)).TotalSeconds,
                SilenceSeconds = (int)(File.Limits.Silence ?? TimeSpan.FromDays(1)).TotalSeconds,
            },
        };

    /// <summary>What the builder of a farm on one machine is started with.</summary>
    internal static BuilderOptions Of(Farm farm, NodeKey masterKey, ILoggerFactory loggers) =>
        Of(farm.File.Builder, farm.Directory, masterKey, loggers) with
        {
            Name = farm.BuilderName,
            StateDirectory = farm.BuilderDirectory,
            MasterUrl = farm.MasterUrl,
            Architectures = [.. farm.File.Architectures],
            Pulling = PullingOf(farm.File.Authorities, farm.Directory),
        };

    /// <summary>How others are read.</summary>
    internal static PullerSettings PullingOf(string? authorities, string directory) => new()
    {
        AuthoritiesFile = authorities is null ? null : Path.GetFullPath(authorities, directory),
    };

    private static BuilderOptions Of(
        BuilderSection section, string directory, NodeKey masterKey, ILoggerFactory loggers) => new()
        {
            Name = "",
            StateDirectory = "",
            MasterUrl = new Uri("https://localhost/"),
            Architectures = [],
            MasterKey = masterKey,
            Listen = IPEndPoint.Parse(section.Listen),
            Slots = section.Slots,
            Weight = section.Weight,
            MemoryBytes = section.Memory ?? MachineMemory(),
            MakeJobs = section.Jobs,
            SourceDirectories = [.. section.SourcesCache.Select(path => Path.GetFullPath(path, directory))],
            Version = VersionCommand.Current,
            LoggerFactory = loggers,
        };

    /// <summary>The machine's memory in bytes; 0 where the kernel does not say.</summary>
    private static long MachineMemory()
    {
        const string label = "MemTotal:";
        var line = System.IO.File.ReadLines("/proc/meminfo")
            .FirstOrDefault(line => line.StartsWith(label, StringComparison.Ordinal));
        var words = (line ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words is [_, var kibibytes, ..]
            && long.TryParse(kibibytes, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number << 10
            : 0;
    }
}
