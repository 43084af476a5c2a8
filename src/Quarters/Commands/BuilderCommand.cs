using System.CommandLine;
using System.Net;
using Quarters.Configuring;
using Quarters.Core;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary><c>quarters builder</c>: a builder for a master elsewhere.</summary>
internal static class BuilderCommand
{
    internal const string Name = "builder";

    private const string DefaultListen = "0.0.0.0:7374";

    internal static Command Create()
    {
        var config = new Option<string>("--config", "-c")
        {
            Description = "the builder's configuration",
            HelpName = "FILE",
            DefaultValueFactory = _ => BuilderHome.FileName,
        };
        var verbose = Foreground.NewVerbose();
        var command = new Command(Name, "Run only a builder. Ctrl-C drains, a second one stops.")
        {
            config, verbose, CreateInit(),
        };
        command.SetAction(parsed =>
        {
            var home = BuilderHome.Load(parsed.GetRequiredValue(config));
            return Foreground.RunAsync(
                (loggers, stop) => NodeRun.StartBuilderAsync(home, loggers, stop),
                parsed.GetValue(verbose),
                parsed.InvocationConfiguration.Output);
        });
        return command.WithExample("""
            quarters builder init ~/builder --master https://farm.example.org:7373 --master-key sha256:…
            quarters builder --config ~/builder/builder.toml
            """);
    }

    private static Command CreateInit()
    {
        var directory = new Argument<string>("DIR")
        {
            Description = "where the builder lives; the current directory if not given",
            DefaultValueFactory = _ => ".",
        };
        var master = new Option<string>("--master")
        {
            Description = "the master's address",
            HelpName = "URL",
            Required = true,
        };
        var key = new Option<string>("--master-key")
        {
            Description = "the key that the master must prove to have, as `quarters master` prints it there",
            HelpName = "sha256:HEX",
            Required = true,
        };
        var url = new Option<string?>("--url")
        {
            Description = "where the master and other builders reach this one; this machine's name if not given",
            HelpName = "URL",
        };
        var name = new Option<string?>("--name")
        {
            Description = "the builder's name; this machine's if not given",
            HelpName = "NAME",
        };
        var listen = new Option<string>("--listen")
        {
            Description = "address and port that it listens on",
            HelpName = "ADDRESS:PORT",
            DefaultValueFactory = _ => DefaultListen,
        };
        var init = new Command(
            "init", "Write a commented builder.toml and a key; print the one line for the farm's operator.")
        {
            directory, master, key, url, name, listen,
        };
        init.SetAction(parsed =>
        {
            var path = Path.GetFullPath(Path.Combine(parsed.GetRequiredValue(directory), BuilderHome.FileName));
            var address = parsed.GetRequiredValue(listen);
            var called = parsed.GetValue(name) ?? Dns.GetHostName().Split('.')[0];
            if (!NodeName.IsValid(called))
                throw new MistakeException($"--name {called} must be {NodeName.Rule}");
            var text = BuilderTemplate.Text(
                called, address, parsed.GetValue(url) ?? UrlOf(address), parsed.GetRequiredValue(master),
                parsed.GetRequiredValue(key), InitCommand.HostArchitecture());
            var output = parsed.InvocationConfiguration.Output;
            output.WriteLine(Make(path, text));
            parsed.InvocationConfiguration.Error.WriteLine(
                $"{path} explains itself. Send the line above to the operator of the farm, then: "
                + $"quarters builder --config {path}");
            return ExitCode.Done;
        });
        return init.WithExample(
            "quarters builder init ~/builder --master https://farm.example.org:7373 --master-key sha256:…");
    }

    /// <summary>Writes configuration and key; returns the line for the operator.</summary>
    private static string Make(string path, string text)
    {
        if (File.Exists(path))
            throw new MistakeException($"{path} exists already; change it with an editor, or choose another directory");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var checkedPath = path + ".new";
        File.WriteAllText(checkedPath, text);
        var home = BuilderHome.Load(checkedPath);
        var identity = Farm.IdentityIn(home.StateDirectory);
        InitCommand.MakeIdentity(identity, home.File.Name!, home.Url.Host);
        File.Move(checkedPath, path, overwrite: false);
        return $"quarters builders add {home.File.Name} {home.Url} {Farm.KeyIn(home.StateDirectory)}";
    }

    private static string UrlOf(string listen)
    {
        if (!IPEndPoint.TryParse(listen, out var endpoint) || endpoint.Port == 0)
            throw new MistakeException($"--listen {listen} must be an address and a port, such as {DefaultListen}");
        var isAny = endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any);
        return isAny ? $"https://{Dns.GetHostName()}:{endpoint.Port}/" : $"https://{endpoint}/";
    }
}
