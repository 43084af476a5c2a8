using Quarters.Core.Planning;

namespace Quarters.Builder;

/// <summary>Where a builder keeps what, below its state directory. Everything under <c>public</c> is served as it lies
/// there.
/// All of it is one file system: finished results are renamed into place.</summary>
internal sealed class BuilderFolders(string stateDirectory)
{
    /// <summary>The state directory itself.</summary>
    internal string Root { get; } = Path.GetFullPath(stateDirectory);

    /// <summary>Key and certificate.</summary>
    internal string Identity => Path.Combine(Root, "identity");

    /// <summary>Chroots, unless they are configured to be elsewhere.</summary>
    internal string Chroots => Path.Combine(Root, "chroots");

    /// <summary>Logs of attempts, served at <c>/v1/logs/</c>.</summary>
    internal string Logs => Path.Combine(Root, "public", "logs");

    /// <summary>Results, served at <c>/out/</c>.</summary>
    internal string Results => Path.Combine(Root, "public", "out");

    /// <summary>What attempts need while they run.</summary>
    internal string Work => Path.Combine(Root, "work");

    /// <summary>Source packages on their way in: partial downloads survive a restart here.</summary>
    internal string Sources => Path.Combine(Root, "sources");

    /// <summary>Databases of snapshots, by hash.</summary>
    internal string Databases => Path.Combine(Root, "databases");

    /// <summary>The log of an attempt.</summary>
    internal string Log(string job, int attempt) => Path.Combine(Logs, JobId.AttemptName(job, attempt) + LogSuffix);

    /// <summary>The results of an attempt.</summary>
    internal string Result(string job, int attempt) => Path.Combine(Results, JobId.AttemptName(job, attempt));

    /// <summary>What an attempt needs while it runs.</summary>
    internal string WorkOf(string job, int attempt) => Path.Combine(Work, JobId.AttemptName(job, attempt));

    internal const string LogSuffix = ".log";

    /// <summary>Makes all of them.</summary>
    internal void Create()
    {
        foreach (var folder in new[] { Logs, Results, Work, Sources, Databases })
            Directory.CreateDirectory(folder);
    }
}
