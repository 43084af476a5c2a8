using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace Quarters.Architecture.Tests;

/// <summary>
/// Core and Alpm take time, files, randomness and the network as arguments. The analyzer's list
/// (eng/BannedSymbols.Pure.txt) says so where code is written; these look at what was built, generated code included.
/// </summary>
public sealed class PurityTests
{
    public static TheoryData<string> PureProjects => ["Quarters.Alpm", "Quarters.Core"];

    private static readonly string[] ImpureAssemblies =
    [
        "System.Diagnostics.Process", "System.IO.FileSystem", "System.IO.Pipes", "System.IO.MemoryMappedFiles",
        "System.Net.",
        "System.Console", "Microsoft.", "Quarters.Linux",
    ];

    private static readonly string[] ImpureTypes =
    [
        "System.IO.File", "System.IO.FileInfo", "System.IO.FileStream", "System.IO.Directory",
        "System.IO.DirectoryInfo",
        "System.IO.RandomAccess", "System.Diagnostics.Process", "System.Diagnostics.Stopwatch", "System.TimeProvider",
        "System.Random", "System.Console", "System.Threading.Thread", "System.Threading.ThreadPool",
        "System.Threading.Timer", "System.Threading.CancellationTokenSource",
        "System.Security.Cryptography.RandomNumberGenerator", "System.AppContext",
        "System.Runtime.InteropServices.NativeLibrary",
    ];

    private static readonly string[] ImpureMembers =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTimeOffset.get_Now",
        "System.DateTimeOffset.get_UtcNow", "System.Guid.NewGuid", "System.Threading.Tasks.Task.Run",
        "System.Threading.Tasks.Task.Delay",
    ];

    // Iterators ask for the thread they were made on, to know whether they may be their own enumerator.
    private const string AllowedOfEnvironment = "System.Environment.get_CurrentManagedThreadId";

    [Theory]
    [MemberData(nameof(PureProjects))]
    public void A_pure_assembly_refers_to_no_impure_one(string project) =>
        House.None(House.Inspect(project, metadata => metadata.AssemblyReferences
            .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
            .Where(name => ImpureAssemblies.Any(impure => name.StartsWith(impure, StringComparison.Ordinal)))
            .ToList()));

    [Theory]
    [MemberData(nameof(PureProjects))]
    public void A_pure_assembly_names_no_impure_type(string project) =>
        House.None(House.Inspect(project, metadata => metadata.TypeReferences
            .Select(handle => NameOf(metadata, handle))
            .Where(name => ImpureTypes.Contains(name) || name.StartsWith("System.Net.", StringComparison.Ordinal))
            .ToList()));

    [Theory]
    [MemberData(nameof(PureProjects))]
    public void A_pure_assembly_calls_no_clock_and_no_environment(string project) =>
        House.None(House.Inspect(project, metadata => metadata.MemberReferences
            .Select(handle => metadata.GetMemberReference(handle))
            .Where(member => member.Parent.Kind == HandleKind.TypeReference)
            .Select(member => NameOf(metadata, (TypeReferenceHandle)member.Parent) + "."
                + metadata.GetString(member.Name))
            .Where(name => ImpureMembers.Contains(name)
                || (name.StartsWith("System.Environment.", StringComparison.Ordinal) && name != AllowedOfEnvironment))
            .ToList()));

    [Theory]
    [MemberData(nameof(PureProjects))]
    public void A_pure_assembly_calls_no_native_code(string project) =>
        Assert.Equal(0, House.Inspect(project, metadata => metadata.GetTableRowCount(TableIndex.ImplMap)));

    [Fact]
    public void The_check_sees_what_an_impure_assembly_does() =>
        Assert.Contains("System.IO.File", House.Inspect("Quarters.Linux", metadata => metadata.TypeReferences
            .Select(handle => NameOf(metadata, handle))
            .ToList()));

    private static string NameOf(MetadataReader metadata, TypeReferenceHandle handle)
    {
        var type = metadata.GetTypeReference(handle);
        return metadata.GetString(type.Namespace) + "." + metadata.GetString(type.Name);
    }
}
