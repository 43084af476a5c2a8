using System.Net;
using Quarters.Alpm;
using Quarters.Core;
using Quarters.Core.Master;
using Quarters.Node;

namespace Quarters.Configuring;

/// <summary>What the types of quarters.toml cannot say: which values make sense, and together.</summary>
internal static class FarmCheck
{
    /// <summary>A builder with nothing to say shows every minute that it lives, and a sign may be late.</summary>
    private static readonly TimeSpan ShortestLease = TimeSpan.FromMinutes(2);

    /// <summary>A builder shows every minute that it lives: no copy may come later.</summary>
    private static readonly TimeSpan LongestInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    /// <summary>What is on its way into the state is younger.</summary>
    private static readonly TimeSpan ShortestKept = TimeSpan.FromDays(1);

    /// <summary>Everything that is wrong, a sentence each.</summary>
    internal static IEnumerable<string> Problems(FarmFile file) =>
        Head(file).Concat(Architectures(file)).Concat(Repositories(file)).Concat(SourceCheck.Problems(file))
            .Concat(Operators(file)).Concat(Builder(file));

    private static IEnumerable<string> Head(FarmFile file)
    {
        if (!NodeName.IsValid(file.Name))
            yield return $"name = \"{file.Name}\" must be 1 to 64 letters, digits, '-', '_' or '.'";
        if (Listen(file.Listen) is { } problem)
            yield return "listen = " + problem;
        if (file.State.Length == 0)
            yield return "state must name a directory";
        if (file.Architectures.Count == 0)
            yield return "architectures must name at least one, such as \"x86_64\"";
        foreach (var architecture in file.Architectures.Where(name => !NodeName.IsValid(name) || name == "any"))
            yield return $"architectures: \"{architecture}\" cannot be built for; \"any\" is built by the first one";
        if (file.Base.Count == 0)
            yield return "base must name at least one package or group, such as \"base-devel\"";
        foreach (var name in file.Base.Where(name => !Relation.TryParse(name, out _)))
            yield return $"base: \"{name}\" is not the name of a package or group";
        if (file.Attempts is < 1 or > 100)
            yield return "attempts must be from 1 to 100";
        foreach (var one in file.Independent.Where(one => one.Builds < 1 || one.Builds > file.Attempts))
            yield return $"independent: builds = {one.Builds} must be from 1 to {file.Attempts} (attempts)";
        if (file.Independent.Any(one => one.Packages.Count == 0 || one.Packages.Contains("")))
            yield return "independent: packages must name package bases; \"*\" stands for any characters";
        if (file.Lease < ShortestLease)
            yield return "lease must be at least \"2 min\": a builder shows only every minute that it lives";
        if (file.Keep.Versions < 1 || file.Keep.Builds < 1)
            yield return "keep: versions and builds must be at least 1";
        if (file.Keep.Time < ShortestKept || file.Keep.Time < file.Limits.Time)
            yield return "keep: time must be at least \"1 d\" and no less than a build may last (limits: time)";
        if (file.Limits.Processes < 1)
            yield return "limits: processes must be at least 1";
    }

    private static IEnumerable<string> Architectures(FarmFile file)
    {
        foreach (var same in file.Architecture.GroupBy(one => one.Name, StringComparer.Ordinal))
        {
            if (!file.Architectures.Contains(same.Key))
                yield return $"architecture \"{same.Key}\" is none of architectures: nothing is built for it";
            if (same.Skip(1).Any())
                yield return $"there are two sections for the architecture \"{same.Key}\"";
        }

        foreach (var one in file.Architecture)
        {
            if (ArchitectureTraits.FindFault(one.Accepts, one.Makepkg) is { } fault)
                yield return $"architecture \"{one.Name}\": {fault}";
        }
    }

    private static IEnumerable<string> Repositories(FarmFile file)
    {
        if (file.Repository.Count == 0)
            yield return "there must be at least one [[repository]], where what is built is published";
        var names = file.Repository.Select(own => own.Name).Concat(file.Outside.Select(outside => outside.Name));
        foreach (var same in names.GroupBy(name => name, StringComparer.Ordinal))
        {
            if (!NodeName.IsValid(same.Key) || same.Key == "local")
                yield return
                    $"\"{same.Key}\" cannot be a repository's name: letters, digits, '-', '_', '.'; not \"local\"";
            if (same.Skip(1).Any())
                yield return $"there are two repositories \"{same.Key}\"";
        }

        foreach (var own in file.Repository)
        {
            foreach (var other in (own.BuildsOn ?? []).Append(own.PromoteTo ?? own.Name))
            {
                if (file.Repository.All(known => known.Name != other))
                    yield return $"repository \"{own.Name}\": there is no [[repository]] \"{other}\"";
            }

            if (own.PromoteTo == own.Name)
                yield return $"repository \"{own.Name}\": promote-to must name another one";
            if (own.After is not null && own.PromoteTo is null)
                yield return $"repository \"{own.Name}\": after needs promote-to, where its packages go then";
        }

        foreach (var outside in file.Outside)
        {
            if (outside.Servers.Count == 0)
                yield return $"outside \"{outside.Name}\": servers must name at least one, as in pacman's mirrorlist";
            foreach (var server in outside.Servers)
            {
                if (!Uri.TryCreate(server, UriKind.Absolute, out var uri)
                    || uri.Scheme is not ("https" or "http" or "file"))
                    yield return $"outside \"{outside.Name}\": {server} must begin with https://, http:// or file:///";
            }
        }
    }

    private static IEnumerable<string> Operators(FarmFile file)
    {
        foreach (var same in file.Operator.GroupBy(one => one.Name, StringComparer.Ordinal))
        {
            if (!NodeName.IsValid(same.Key))
                yield return $"operator \"{same.Key}\": its name must be {NodeName.Rule}";
            if (same.Skip(1).Any())
                yield return $"there are two operators \"{same.Key}\"";
        }

        foreach (var one in file.Operator)
        {
            if (Signals.FindUrlFault(one.Url) is { } fault)
                yield return $"operator \"{one.Name}\": url = \"{one.Url}\": {fault}";
            if (!SourceCheck.IsTimer(one.Poll))
                yield return $"operator \"{one.Name}\": poll must be at least \"1 s\" and at most \"30 d\"";
            if (!NodeKey.TryParse(one.Key, out _))
                yield return $"operator \"{one.Name}\": key must be sha256:HEX, as `quarters operator init` prints it";
        }
    }

    private static IEnumerable<string> Builder(FarmFile file)
    {
        if (file.Builder.Name is { } name && !NodeName.IsValid(name))
            yield return $"builder: name = \"{name}\" must be 1 to 64 letters, digits, '-', '_' or '.'";
        if (Listen(file.Builder.Listen) is { } problem)
            yield return "builder: listen = " + problem;
        else if (file.Builder.Listen == file.Listen)
            yield return $"builder: listen = \"{file.Listen}\" is the master's; take another port";
        foreach (var weak in Strength(file.Builder)) yield return "builder: " + weak;
    }

    /// <summary>What builder.toml says and cannot mean.</summary>
    internal static IEnumerable<string> Problems(BuilderFile file)
    {
        if (file.Name is not { } name || !NodeName.IsValid(name))
            yield return $"name = \"{file.Name}\" must be {NodeName.Rule}";
        if (Listen(file.Listen) is { } problem)
            yield return "listen = " + problem;
        if (Signals.FindUrlFault(file.Url) is { } fault)
            yield return $"url = \"{file.Url}\": {fault}";
        if (Signals.FindUrlFault(file.Master.Url) is { } wrong)
            yield return $"master: url = \"{file.Master.Url}\": {wrong}";
        if (!NodeKey.TryParse(file.Master.Key, out _))
            yield return "master: key must be sha256:HEX, as `quarters master` prints it there";
        if (file.Architectures.Count == 0 || file.Architectures.Any(name => !NodeName.IsValid(name) || name == "any"))
            yield return "architectures must name at least one, such as \"x86_64\", and not \"any\"";
        if (file.State.Length == 0)
            yield return "state must name a directory";
        if (file.Limits.Processes < 1)
            yield return "limits: processes must be at least 1";
        if (file.Publish is { } publish)
        {
            if (publish.Command.Count == 0 || publish.Command[0].Length == 0)
                yield return "publish: command must name the program that copies the folder to the web space";
            if (publish.Folder.Length == 0)
                yield return "publish: folder must name a directory";
            if (publish.Interval < ShortestInterval || publish.Interval > LongestInterval)
                yield return "publish: interval must be from \"1 s\" to \"1 min\"";
        }

        foreach (var weak in Strength(file)) yield return weak;
    }

    /// <summary>What is wrong with a file of certificates.</summary>
    internal static IEnumerable<string> Authorities(string? file, string directory)
    {
        if (file is not null && !File.Exists(Path.GetFullPath(file, directory)))
            yield return $"authorities = \"{file}\": there is no such file in {directory}";
    }

    private static IEnumerable<string> Strength(BuilderSection builder)
    {
        if (builder.Slots is < 1 or > BuilderReview.MaxSlots)
            yield return $"slots must be from 1 to {BuilderReview.MaxSlots}";
        if (builder.Weight is not (>= BuilderReview.MinWeight and <= BuilderReview.MaxWeight))
            yield return FormattableString.Invariant(
                $"weight must be from {BuilderReview.MinWeight} to {BuilderReview.MaxWeight}");
        if (builder.Jobs < 1)
            yield return "jobs must be at least 1";
    }

    private static string? Listen(string text) =>
        IPEndPoint.TryParse(text, out var endpoint) && endpoint.Port > 0
            ? null
            : $"\"{text}\" must be an address and a port: \"127.0.0.1:7373\", or \"0.0.0.0:7373\" for the network";
}
