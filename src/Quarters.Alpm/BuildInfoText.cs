using System.Globalization;
using System.Text;

namespace Quarters.Alpm;

/// <summary>Reads and writes the text of a .BUILDINFO.</summary>
internal static class BuildInfoText
{
    private const string Document = ".BUILDINFO";

    public static BuildInfo Read(ReadOnlySpan<byte> utf8)
    {
        string? format = null, name = null, pkgbase = null, architecture = null, sha256 = null, packager = null,
            date = null, buildDirectory = null, startDirectory = null, tool = null, toolVersion = null;
        PackageVersion? version = null;
        var buildDate = DateTimeOffset.UnixEpoch;
        List<string> environment = [], options = [];
        List<InstalledPackage> installed = [];
        var lines = KeyValueLines.Of(Document, KeyValueLines.Decode(Document, utf8, BuildInfo.MaxLength));
        while (lines.Next())
        {
            switch (lines.Key)
            {
                case "format": lines.Once(ref format, lines.Value.ToString()); break;
                case "pkgname": lines.Once(ref name, lines.Name()); break;
                case "pkgbase": lines.Once(ref pkgbase, lines.Name()); break;
                case "pkgver": lines.Once(ref version, lines.Version()); break;
                case "pkgarch": lines.Once(ref architecture, lines.Architecture()); break;
                case "pkgbuild_sha256sum": lines.Once(ref sha256, lines.Value.ToString()); break;
                case "packager": lines.Once(ref packager, lines.Value.ToString()); break;
                case "builddate":
                    lines.Once(ref date, "seen");
                    buildDate = lines.Time();
                    break;
                case "builddir": lines.Once(ref buildDirectory, lines.Value.ToString()); break;
                case "startdir": lines.Once(ref startDirectory, lines.Value.ToString()); break;
                case "buildtool": lines.Once(ref tool, lines.Value.ToString()); break;
                case "buildtoolver": lines.Once(ref toolVersion, lines.Value.ToString()); break;
                case "buildenv": environment.Add(lines.Value.ToString()); break;
                case "options": options.Add(lines.Value.ToString()); break;
                case "installed": installed.Add(ReadInstalled(ref lines)); break;
                default: throw lines.Error($"there is no field {AlpmFormatException.Quote(lines.Key)}");
            }
        }
        return new BuildInfo
        {
            Format = format switch
            {
                "1" => 1,
                "2" => 2,
                null => throw Missing("format"),
                _ => throw new AlpmFormatException(
                    Document, $"format {AlpmFormatException.Quote(format)} is not known; 1 and 2 are"),
            },
            Name = name ?? throw Missing("pkgname"),
            Base = pkgbase ?? throw Missing("pkgbase"),
            Version = version ?? throw Missing("pkgver"),
            Architecture = architecture ?? throw Missing("pkgarch"),
            PkgbuildSha256 = sha256 ?? "",
            Packager = packager ?? "",
            BuildDate = buildDate,
            BuildDirectory = buildDirectory ?? "",
            StartDirectory = startDirectory ?? "",
            BuildTool = tool ?? "",
            BuildToolVersion = toolVersion ?? "",
            BuildEnvironment = environment,
            Options = options,
            Installed = installed,
        };
    }

    public static string Write(BuildInfo info)
    {
        var text = new StringBuilder();
        text.Line("format", info.Format.ToString(CultureInfo.InvariantCulture))
            .Line("pkgname", info.Name).Line("pkgbase", info.Base).Line("pkgver", info.Version.ToString())
            .Line("pkgarch", info.Architecture).Line("pkgbuild_sha256sum", info.PkgbuildSha256)
            .Line("packager", info.Packager)
            .Line("builddate", info.BuildDate.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture))
            .Line("builddir", info.BuildDirectory);
        if (info.Format >= 2)
        {
            text.Line("startdir", info.StartDirectory).Line("buildtool", info.BuildTool)
                .Line("buildtoolver", info.BuildToolVersion);
        }
        return text.Lines("buildenv", info.BuildEnvironment).Lines("options", info.Options)
            .Lines("installed", info.Installed).ToString();
    }

    private static InstalledPackage ReadInstalled(ref KeyValueLines lines)
    {
        try
        {
            return InstalledPackage.Parse(lines.Value.ToString());
        }
        catch (AlpmFormatException e)
        {
            throw lines.Error(e.Message);
        }
    }

    private static AlpmFormatException Missing(string key) => new(Document, $"the field {key} is missing");
}
