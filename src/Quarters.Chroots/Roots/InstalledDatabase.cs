using Quarters.Chroots.Repositories;

namespace Quarters.Chroots.Roots;

/// <summary>Reads pacman's database of installed packages: <c>desc</c> files, one after the other, each a list of
/// sections
/// <c>%NAME%</c> with a value a line, ended by an empty line.</summary>
internal static class InstalledDatabase
{
    /// <exception cref="InvalidDataException">A package has no name or version.</exception>
    internal static List<InstalledPackageRecord> Read(string text)
    {
        var packages = new List<InstalledPackageRecord>();
        string? name = null;
        string? version = null;
        var provides = new List<string>();
        var section = "";
        foreach (var line in text.Split('\n'))
        {
            if (line == "%NAME%")
                Finish();
            if (line.StartsWith('%') && line.EndsWith('%'))
                section = line;
            else if (line.Length == 0)
                section = "";
            else if (section == "%NAME%")
                name = line;
            else if (section == "%VERSION%")
                version = line;
            else if (section == "%PROVIDES%")
                provides.Add(line);
        }

        Finish();
        return packages;

        void Finish()
        {
            if (name is not null || version is not null)
                packages.Add(new InstalledPackageRecord(
                    name ?? throw new InvalidDataException("A package in the root has no name."),
                    version ?? throw new InvalidDataException($"The package {name} in the root has no version."),
                    provides));
            (name, version, provides) = (null, null, []);
        }
    }
}
