using System.Net;
using Microsoft.Extensions.Logging;
using Quarters.Core.Master;
using Quarters.Master.Polling;
using Quarters.Master.Signalling;
using Quarters.Node;
using Quarters.Sources.Intake;

namespace Quarters.Master;

/// <summary>What a master is started with.</summary>
public sealed record MasterOptions
{
    /// <summary>The name that its owner gave it.</summary>
    public required string Name { get; init; }

    /// <summary>Where it keeps everything.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Where it listens; port 0 takes a free one.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>The base URL under which others reach it; null is where it listens.</summary>
    public Uri? PublicAddress { get; init; }

    /// <summary>The owner's decisions.</summary>
    public required MasterSettings Settings { get; init; }

    /// <summary>The sources of packages, named as in <see cref="MasterSettings.Sources"/>.</summary>
    public required IReadOnlyList<PolledSource> Sources { get; init; }

    /// <summary>Whose signed signals are obeyed.</summary>
    public IReadOnlyList<PolledOperator> Operators { get; init; } = [];

    /// <summary>Reads the configuration again; null where there is none to read. It throws a
    /// <see cref="MasterException"/> when that cannot be used.</summary>
    public Func<MasterSetup>? Reread { get; init; }

    /// <summary>Through which its sources learn what the repositories of others offer.</summary>
    public OutsideOffers Offers { get; init; } = new();

    /// <summary>What makes the source packages of rebuilds; null where there are none but those that tests
    /// write.</summary>
    public ReleaseBump? Bump { get; init; }

    /// <summary>The pause between two looks at the databases of others.</summary>
    public TimeSpan OutsideInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often it looks for packages that are to go on by themselves.</summary>
    public TimeSpan PromotionInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How patiently it reads others, and whose certificates it trusts beside the system's.</summary>
    public PullerSettings Pulling { get; init; } = new();

    /// <summary>The software's version, for <c>/v1/node.json</c>.</summary>
    public required string Version { get; init; }

    /// <summary>Where it logs.</summary>
    public required ILoggerFactory LoggerFactory { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>A number from 0 to 1, for the jitter of retries.</summary>
    public Func<double> Random { get; init; } = new Random().NextDouble;
}
