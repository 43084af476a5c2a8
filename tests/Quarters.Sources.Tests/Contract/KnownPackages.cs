using Quarters.Core.Sources;

namespace Quarters.Sources.Tests.Contract;

/// <summary>What a master knows of a source: the sum of its reports.</summary>
internal sealed class KnownPackages
{
    private readonly Dictionary<string, SourcePackage?> _byPath = new(StringComparer.Ordinal);

    /// <summary>Packages, and those that cannot be read.</summary>
    internal int Count => _byPath.Count;

    internal IEnumerable<string> Packages =>
        _byPath.Values.OfType<SourcePackage>().Select(package => package.Pkgbase).Order(StringComparer.Ordinal);

    internal string VersionOf(string pkgbase) =>
        _byPath.Values.OfType<SourcePackage>().Single(package => package.Pkgbase == pkgbase).Version;

    internal void Apply(SourceReport report)
    {
        if (report.Complete)
            _byPath.Clear();
        foreach (var path in report.RemovedPaths)
            Assert.True(_byPath.Remove(path), $"{path} is removed and was not there");
        foreach (var one in report.Unreadable)
            _byPath[one.Path] = null;
        foreach (var package in report.Changed)
            _byPath[package.Origin.Path] = package;
    }
}
