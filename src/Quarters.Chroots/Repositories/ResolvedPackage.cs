using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quarters.Chroots.Repositories;

/// <summary>A package that pacman chose, with what its repository's database says of its file.</summary>
internal sealed record ResolvedPackage(
    string Repository, string Name, string Version, string FileName, long Bytes, string Sha256);

/// <summary>A package that is installed in a root.</summary>
internal sealed record InstalledPackageRecord(string Name, string Version, IReadOnlyList<string> Provides);

/// <summary>The store's own files.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(List<ResolvedPackage>))]
[JsonSerializable(typeof(List<InstalledPackageRecord>))]
internal sealed partial class StoreJson : JsonSerializerContext;
