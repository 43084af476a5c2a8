using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Pages;

/// <summary>Addresses inside this master. Every part that came from elsewhere is escaped.</summary>
internal static class Links
{
    public static string Package(string pkgbase) => "/packages/" + Escape(pkgbase);

    public static string Packages(JobStatus status) => "/packages?status=" + Wording.Name(status);

    public static string Jobs(JobStatus status) => "/jobs?status=" + Wording.Name(status);

    public static string Job(string id) => "/jobs/" + Escape(id);

    public static string Log(string job, int attempt) => Log(JobId.AttemptName(job, attempt));

    public static string Log(string name) => $"/v1/logs/{Escape(name)}.log";

    public static string SourceArchive(string sha256) => $"/src/{Escape(sha256)}.tar.zst";

    public static string Rebuild(string name) => "/rebuilds/" + Escape(name);

    public static string Repository(string name, string architecture) =>
        $"/repositories/{Escape(name)}/{Escape(architecture)}";

    public static string PackageFile(string repository, string architecture, string file) =>
        $"/repo/{Escape(repository)}/os/{Escape(architecture)}/{Escape(file)}";

    /// <summary>A feed, by its <see cref="FeedName"/>.</summary>
    public static string Feed(string name) => "/feeds/" + string.Join('/', name.Split('/').Select(Escape)) + ".atom";

    private static string Escape(string part) => Uri.EscapeDataString(part);
}
