using Quarters.Configuring;
using Quarters.Master;
using Quarters.Master.Signalling;
using Quarters.Node;

namespace Quarters.Running;

/// <summary>What a running master takes from its configuration.</summary>
internal static class FarmSetup
{
    internal static IReadOnlyList<PolledOperator> Operators(Farm farm) =>
        [.. farm.File.Operator.Select(one => new PolledOperator(one.Name, one.Url, one.Key) { Interval = one.Poll })];

    /// <summary>Reads a farm's configuration again.</summary>
    /// <exception cref="MasterException">It cannot be used; the message says why.</exception>
    internal static MasterSetup Reread(Farm before, NodeKey? builderKey, FarmSources sources)
    {
        var path = Path.Combine(before.Directory, before.OwnName);
        try
        {
            var farm = Farm.Load(path);
            if (farm.File.Name != before.File.Name || !farm.MasterListen.Equals(before.MasterListen)
                || farm.MasterDirectory != before.MasterDirectory)
                throw new MasterException($"{path}: name, listen and state are read only when the master starts");
            return new MasterSetup(farm.Settings(builderKey), sources.Open(farm), Operators(farm));
        }
        catch (Exception wrong) when (wrong is ConfigurationException or MistakeException or IOException)
        {
            throw new MasterException(wrong.Message);
        }
    }
}
