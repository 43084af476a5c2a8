using System.CommandLine;

namespace Quarters.Reading;

/// <summary>Which node a reading command asks: that of the configuration, or one that is named with its key.</summary>
internal sealed class NodeOptions
{
    /// <summary><c>--config FILE</c>.</summary>
    internal Option<string?> Config { get; } = NewConfig();

    /// <summary><c>--url URL</c>.</summary>
    internal Option<string?> Url { get; } = new("--url")
    {
        Description = "the master's address, for one elsewhere; needs --key",
        HelpName = "URL",
    };

    /// <summary><c>--key KEY</c>.</summary>
    internal Option<string?> Key { get; } = new("--key")
    {
        Description = "the key that it must prove to have, as `quarters up` prints it there",
        HelpName = "sha256:HEX",
    };

    /// <summary>The option by which a configuration is named.</summary>
    internal static Option<string?> NewConfig() => new("--config", "-c")
    {
        Description = "the configuration; quarters.toml here or above if not given",
        HelpName = "FILE",
    };

    /// <summary>Adds the options to a command.</summary>
    internal NodeOptions AddTo(Command command)
    {
        command.Add(Config);
        command.Add(Url);
        command.Add(Key);
        return this;
    }
}
