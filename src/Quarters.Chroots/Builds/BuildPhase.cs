namespace Quarters.Chroots.Builds;

/// <summary>What a build is doing, in the order in which it does.</summary>
public enum BuildPhase
{
    /// <summary>The golden root is looked up or made.</summary>
    Root,

    /// <summary>Dependencies are resolved, fetched and installed.</summary>
    Dependencies,

    /// <summary>Sources are fetched and verified.</summary>
    Sources,

    /// <summary>The sandbox starts; makepkg checks, unpacks the sources and runs <c>prepare()</c> and
    /// <c>pkgver()</c>.</summary>
    Prepare,

    /// <summary><c>build()</c>.</summary>
    Build,

    /// <summary><c>check()</c>.</summary>
    Check,

    /// <summary><c>package()</c> and the writing of the packages.</summary>
    Package,

    /// <summary>The packages are taken out of the chroot.</summary>
    Collect,
}

/// <summary>The names of phases in documents.</summary>
public static class BuildPhaseNames
{
    /// <summary>The phase's name as documents write it, which is also the stage of a failure in it.</summary>
    public static string Name(this BuildPhase phase) => phase switch
    {
        BuildPhase.Root => "root",
        BuildPhase.Dependencies => "dependencies",
        BuildPhase.Sources => "sources",
        BuildPhase.Prepare => "prepare",
        BuildPhase.Build => "build",
        BuildPhase.Check => "check",
        BuildPhase.Package => "package",
        _ => "collect",
    };
}
