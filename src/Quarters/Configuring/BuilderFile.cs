using System.Text.Json.Serialization;

namespace Quarters.Configuring;

/// <summary>What the owner of a builder decides: <c>[builder]</c> in quarters.toml, the top of builder.toml.</summary>
internal record BuilderSection
{
    /// <summary>Its name; the farm's if not given, in quarters.toml.</summary>
    public string? Name { get; set; }

    /// <summary>Address and port on which it serves its documents, logs and results.</summary>
    public string Listen { get; set; } = "127.0.0.1:7374";

    /// <summary>How many builds run at once.</summary>
    public int Slots { get; set; } = 1;

    /// <summary>How fast it is: 2 needs half the time that a job is estimated to take.</summary>
    public double Weight { get; set; } = 1;

    /// <summary>The most memory that one build may use; all that the machine has if not given.</summary>
    [JsonConverter(typeof(BytesConverter))]
    public long? Memory { get; set; }

    /// <summary>How many jobs <c>make</c> runs at once; as many as there are processors if not given.</summary>
    public int? Jobs { get; set; }

    /// <summary>Directories with upstream files that were fetched before, like makepkg's SRCDEST, relative to this
    /// file: looked into before the network is asked, never written.</summary>
    [JsonPropertyName("sources-cache")]
    public IReadOnlyList<string> SourcesCache { get; set; } = [];
}

/// <summary>builder.toml as it is written. What it means is <see cref="BuilderHome"/>.</summary>
internal sealed record BuilderFile : BuilderSection
{
    /// <summary>Where others reach it.</summary>
    public required string Url { get; set; }

    /// <summary>Where everything is kept, relative to this file.</summary>
    public string State { get; set; } = "state";

    /// <summary>What it builds.</summary>
    public required IReadOnlyList<string> Architectures { get; set; }

    /// <summary>Whose jobs it builds.</summary>
    public required MasterSection Master { get; set; }

    /// <summary>What one build may use here at most; a job may ask for less.</summary>
    public CapSection Limits { get; set; } = new();

    /// <summary>How what it says is copied to where others read it; without it they read it here.</summary>
    public PublishSection? Publish { get; set; }

    /// <summary>Certificates of authorities that are trusted beside the system's, relative to this file.</summary>
    public string? Authorities { get; set; }
}

/// <summary>The master of a builder.</summary>
internal sealed record MasterSection
{
    /// <summary>Its base URL.</summary>
    public required string Url { get; set; }

    /// <summary>The key that it must prove to have.</summary>
    public required string Key { get; set; }
}

/// <summary>How a builder that nobody can reach copies what it says to a web space.</summary>
internal sealed record PublishSection
{
    /// <summary>The folder that it is written into, relative to this file.</summary>
    public string Folder { get; set; } = "publish";

    /// <summary>The program that copies the folder, and its arguments.</summary>
    public required IReadOnlyList<string> Command { get; set; }

    /// <summary>The least time from one copy of documents to the next.</summary>
    [JsonConverter(typeof(DurationConverter))]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>What one build may use at most, whatever the job asks for; what is not given is the job's to say.</summary>
internal sealed record CapSection
{
    /// <summary>Processes and threads at once.</summary>
    public int? Processes { get; set; }

    /// <summary>What it may write.</summary>
    [JsonConverter(typeof(BytesConverter))]
    public long? Disk { get; set; }

    /// <summary>Wall-clock time.</summary>
    [JsonConverter(typeof(DurationConverter))]
    public TimeSpan? Time { get; set; }

    /// <summary>Time without output and without CPU use.</summary>
    [JsonConverter(typeof(DurationConverter))]
    public TimeSpan? Silence { get; set; }
}
