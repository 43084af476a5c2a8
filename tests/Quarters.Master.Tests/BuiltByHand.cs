using System.Security.Cryptography;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Linux.Files;
using Quarters.Master.Repositories;

namespace Quarters.Master.Tests;

/// <summary>What a collector brings in, for tests of a master's parts without builders.</summary>
internal static class BuiltByHand
{
    /// <summary>Builds a ready job and puts its package into its place.</summary>
    public static ResultAccepted Accept(MasterFolders folders, Publisher publisher, MasterState state, Job job)
    {
        var queued = Projection.Queue(state, DateTimeOffset.MaxValue).Jobs.Single(j => j.Id == job.Id);
        var content = TestFarm.Package(queued);
        var name = TestFarm.FileName(queued);
        // As the collector leaves it: durable in a folder of its own.
        var file = Path.Combine(folders.Incoming, name);
        LinuxDisk.Instance.Write(file, content);
        publisher.Store(file, job.Rebuild ?? "quarters", "x86_64", name);
        using var stream = new MemoryStream(content);
        var received = new ReceivedPackage(
            name, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)),
                PackageFile.Read(stream, new PackageReadLimits()));
        var result = new BuildResult
        {
            Job = job.Id,
            Attempt = job.Attempt,
            Snapshot = queued.Snapshot,
            Outcome = ResultOutcome.Built,
            Started = default,
            Finished = default,
        };
        return new ResultAccepted("anna", result, [Acceptance.Describe(received, job.Id)]);
    }
}
