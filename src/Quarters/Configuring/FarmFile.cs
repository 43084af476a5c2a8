using System.Text.Json.Serialization;

namespace Quarters.Configuring;

/// <summary>quarters.toml as it is written. What it means is <see cref="Farm"/>.</summary>
internal sealed record FarmFile
{
    /// <summary>The farm's name, shown on its page.</summary>
    public required string Name { get; set; }

    /// <summary>Address and port on which the master serves its page, documents and repositories.</summary>
    public string Listen { get; set; } = "127.0.0.1:7373";

    /// <summary>Where everything is kept, relative to this file.</summary>
    public string State { get; set; } = "state";

    /// <summary>The architectures that packages are built for; the first also builds the <c>any</c> ones.</summary>
    public required IReadOnlyList<string> Architectures { get; set; }

    /// <summary>What is different where packages are built for one of them.</summary>
    public IReadOnlyList<ArchitectureSection> Architecture { get; set; } = [];

    /// <summary>Packages of every clean chroot.</summary>
    public IReadOnlyList<string> Base { get; set; } = ["base-devel"];

    /// <summary>How many attempts a job has before failures of the environment, too, are taken for its own.</summary>
    public int Attempts { get; set; } = 4;

    /// <summary>A builder that was not heard of for so long has lost its claims.</summary>
    [JsonConverter(typeof(DurationConverter))]
    public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>What to do about packages that are linked with a library that went away.</summary>
    public LostSonames LostSonames { get; set; } = LostSonames.Propose;

    /// <summary>Certificates of authorities that are trusted beside the system's, relative to this file.</summary>
    public string? Authorities { get; set; }

    /// <summary>The repositories that are published here, in pacman's order.</summary>
    public required IReadOnlyList<RepositorySection> Repository { get; set; }

    /// <summary>The repositories of others that builds may install from.</summary>
    public IReadOnlyList<OutsideSection> Outside { get; set; } = [];

    /// <summary>What several builders must build, each for itself.</summary>
    public IReadOnlyList<IndependentSection> Independent { get; set; } = [];

    /// <summary>Where packages come from.</summary>
    public required IReadOnlyList<SourceSection> Source { get; set; }

    /// <summary>Whose signed signals are obeyed.</summary>
    public IReadOnlyList<OperatorSection> Operator { get; set; } = [];

    /// <summary>The builder on this machine.</summary>
    public BuilderSection Builder { get; set; } = new();

    /// <summary>What is kept although nothing needs it any more.</summary>
    public KeepSection Keep { get; set; } = new();

    /// <summary>How much one build may use.</summary>
    public LimitsSection Limits { get; set; } = new();
}

/// <summary>What to do about packages that are linked with a library that went away.</summary>
[JsonConverter(typeof(WordConverter<LostSonames>))]
internal enum LostSonames
{
    /// <summary>Say so, and how to begin their rebuild.</summary>
    Propose,

    /// <summary>Begin their rebuild.</summary>
    Start,
}

/// <summary>What is different where packages are built for an architecture.</summary>
internal sealed record ArchitectureSection
{
    /// <summary>Its name, one of <see cref="FarmFile.Architectures"/>.</summary>
    public required string Name { get; set; }

    /// <summary>Further architectures whose packages may be installed there.</summary>
    public IReadOnlyList<string> Accepts { get; set; } = [];

    /// <summary>Lines that are read after the root's makepkg.conf.</summary>
    public IReadOnlyList<string> Makepkg { get; set; } = [];
}

/// <summary>A repository that is published here.</summary>
internal sealed record RepositorySection
{
    /// <summary>Its name, as in pacman.conf.</summary>
    public required string Name { get; set; }

    /// <summary>The repository that its packages go on to.</summary>
    public string? PromoteTo { get; set; }

    /// <summary>After how long there they go on by themselves; if not given only when an operator says so.</summary>
    [JsonConverter(typeof(DurationConverter))]
    public TimeSpan? After { get; set; }

    /// <summary>The repositories that its users have enabled beside it; if not given all but those that its packages
    /// come from.</summary>
    public IReadOnlyList<string>? BuildsOn { get; set; }
}

/// <summary>A repository of somebody else.</summary>
internal sealed record OutsideSection
{
    /// <summary>Its name, as in pacman.conf.</summary>
    public required string Name { get; set; }

    /// <summary>URLs as in <c>Server =</c>, with <c>$repo</c> and <c>$arch</c>.</summary>
    public required IReadOnlyList<string> Servers { get; set; }
}

/// <summary>What several builders must build, each for itself, before it is published.</summary>
internal sealed record IndependentSection
{
    /// <summary>How many must build the same.</summary>
    public required int Builds { get; set; }

    /// <summary>Names of package bases, with <c>*</c> and <c>?</c>.</summary>
    public IReadOnlyList<string> Packages { get; set; } = ["*"];
}

/// <summary>What is kept although nothing needs it any more.</summary>
internal sealed record KeepSection
{
    /// <summary>Versions of every package, beside those that are needed.</summary>
    public int Versions { get; set; } = 3;

    /// <summary>Jobs of every package base, with their logs.</summary>
    public int Builds { get; set; } = 10;

    /// <summary>Whatever came to its end more recently.</summary>
    [JsonConverter(typeof(DurationConverter))]
    public TimeSpan Time { get; set; } = TimeSpan.FromDays(30);
}

/// <summary>How much one build may use before it is stopped.</summary>
internal sealed record LimitsSection
{
    /// <summary>Memory of all its processes.</summary>
    [JsonConverter(typeof(BytesConverter))]
    public long Memory { get; set; } = 8L << 30;

    /// <summary>Processes and threads at once.</summary>
    public int Processes { get; set; } = 4096;

    /// <summary>What it may write.</summary>
    [JsonConverter(typeof(BytesConverter))]
    public long Disk { get; set; } = 40L << 30;

    /// <summary>Wall-clock time.</summary>
    [JsonConverter(typeof(DurationConverter))]
    public TimeSpan Time { get; set; } = TimeSpan.FromHours(12);

    /// <summary>Time without output and without CPU use.</summary>
    [JsonConverter(typeof(DurationConverter))]
    public TimeSpan Silence { get; set; } = TimeSpan.FromMinutes(30);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.KebabCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(FarmFile))]
[JsonSerializable(typeof(BuilderFile))]
internal sealed partial class FarmJson : JsonSerializerContext;
