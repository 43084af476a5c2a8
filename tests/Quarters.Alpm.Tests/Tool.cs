using System.Diagnostics;

namespace Quarters.Alpm.Tests;

/// <summary>Runs the real tools that these formats come from. A missing tool is a failed test.</summary>
internal static class Tool
{
    /// <summary>Any ordinary user: makepkg refuses to run as root.</summary>
    private const string Nobody = "65534";

    /// <summary>Runs a program to its end and returns what it printed; a status other than 0 fails the test.</summary>
    public static async Task<string> Run(string program, IEnumerable<string> arguments, string? directory = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? "",
        };
        start.Environment["LC_ALL"] = "C.UTF-8";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        var printed = await output;
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}:\n{await errors}\n{printed}");
        return printed;
    }

    /// <summary>Runs a program in a directory that becomes its own, as an ordinary user even where the tests run as
    /// root.</summary>
    public static async Task<string> RunUnprivileged(string program, string[] arguments, Scratch directory)
    {
        string[] command = ["env", $"HOME={directory.Path}", program, .. arguments];
        if (!Environment.IsPrivilegedProcess) return await Run(command[0], command[1..], directory.Path);
        await Run("chown", ["-R", $"{Nobody}:{Nobody}", directory.Path]);
        return await Run(
            "setpriv", ["--reuid", Nobody, "--regid", Nobody, "--clear-groups", .. command], directory.Path);
    }
}
