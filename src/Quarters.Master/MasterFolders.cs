using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master;

/// <summary>Where a master keeps what, below its state directory. Everything under <c>public</c> is served as it lies
/// there.</summary>
public sealed class MasterFolders(string stateDirectory)
{
    /// <summary>The state directory itself.</summary>
    public string Root { get; } = Path.GetFullPath(stateDirectory);

    /// <summary>Key and certificate.</summary>
    public string Identity => Path.Combine(Root, "identity");

    /// <summary>Source packages by hash, served at <c>/src/</c>.</summary>
    public string SourcePackages => Path.Combine(Root, "public", "src");

    /// <summary>The repositories, served at <c>/repo/</c>.</summary>
    public string Repositories => Path.Combine(Root, "public", "repo");

    /// <summary>The repositories as they were, served at <c>/snapshot/</c>.</summary>
    public string Snapshots => Path.Combine(Root, "public", "snapshot");

    /// <summary>Logs of attempts that ended, served at <c>/v1/logs/</c>.</summary>
    public string Logs => Path.Combine(Root, "public", "logs");

    /// <summary>Databases by hash: what snapshots and repositories are linked from.</summary>
    public string Databases => Path.Combine(Root, "databases");

    /// <summary>Results on their way in: partial downloads survive a restart here.</summary>
    public string Incoming => Path.Combine(Root, "incoming");

    /// <summary>A file that is gone when it is closed, also after a crash: for what is too large for memory.</summary>
    public FileStream OpenScratch()
    {
        Directory.CreateDirectory(Incoming);
        var path = Path.Combine(Incoming, $"scratch-{Guid.NewGuid():N}");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        File.Delete(path);
        return file;
    }

    /// <summary>Where signals are put: who may write here is an operator.</summary>
    public string Spool => Path.Combine(Root, "spool");

    /// <summary>What was found in the spool and is no signal, each with a file that says why.</summary>
    public string RefusedSignals => Path.Combine(Spool, "refused");

    /// <summary>A signal in the spool.</summary>
    public string Signal(string id) => Path.Combine(Spool, id + ".json");

    /// <summary>What a source keeps for itself, a mirror for instance.</summary>
    public string Source(string name) => Path.Combine(Root, "sources", name);

    /// <summary>One repository for one architecture, as pacman expects it.</summary>
    public string Repository(string name, string architecture) => Path.Combine(Repositories, name, "os", architecture);

    /// <summary>A package file of a repository.</summary>
    public string Package(RepositoryState repository, RepositoryPackage package) =>
        Path.Combine(Repository(repository.Name, repository.Architecture), package.FileName);

    /// <summary>A pinned or published database by its hash.</summary>
    public string Database(string sha256) => Path.Combine(Databases, sha256);

    /// <summary>The log of an attempt that ended.</summary>
    public string Log(string job, int attempt) => Log(JobId.AttemptName(job, attempt));

    /// <summary>The log of that name: <see cref="Attempt.LogName"/>.</summary>
    public string Log(string name) => Path.Combine(Logs, name + ".log");

    /// <summary>Where a builder's packages are put until they are published: <see cref="JobId.WitnessName"/>.</summary>
    public string Received(string job, int attempt, string builder) =>
        Path.Combine(Incoming, JobId.WitnessName(job, attempt, builder));
}
