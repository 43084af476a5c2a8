using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Quarters.Building;
using Quarters.Chroots.Health;
using Quarters.Configuring;
using Quarters.Reading;

namespace Quarters.Commands;

/// <summary><c>quarters doctor</c>: what this machine lacks to build, and the command that mends it.</summary>
internal static partial class DoctorCommand
{
    internal static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "print the checks as JSON" };
        var config = NodeOptions.NewConfig();
        var command = new Command(
            "doctor", "Say what this machine lacks to build packages, and the command that mends it.")
        {
            json, config,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var checks = await Doctor.ExamineAsync(Store(parsed.GetValue(config)), cancellationToken);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
                await output.WriteLineAsync(JsonSerializer.Serialize([.. checks], DoctorJson.Default.HealthCheckArray));
            else
                Write([.. checks], output);
            return checks.All(check => check.Ok || !check.Needed) ? ExitCode.Done : ExitCode.Failed;
        });
        return command.WithExample("""
            quarters doctor
            quarters doctor --json | jq -r '.[] | select(.ok | not) | .mend'
            """);
    }

    /// <summary>Chroots go where the configuration says; without one, where <c>quarters build</c> keeps them.</summary>
    private static string Store(string? config) => Farm.TryFind(config) is { } path
        ? Path.Combine(Farm.Load(path).BuilderDirectory, "chroots")
        : new Caches().Chroots;

    private static void Write(HealthCheck[] checks, TextWriter output)
    {
        foreach (var check in checks)
        {
            var mark = check.Ok ? "ok" : check.Needed ? "MISSING" : "weak";
            output.WriteLine(Terminal.Printable($"{mark,-8} {check.Name,-12} {check.Meaning}"));
            if (check.Mend is { } mend)
                output.WriteLine(Terminal.Printable($"{"",-21} mend it: {mend}"));
        }

        output.WriteLine(checks.All(check => check.Ok || !check.Needed)
            ? "This machine can build packages."
            : "This machine cannot build packages yet.");
    }

    [JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
    [JsonSerializable(typeof(HealthCheck[]))]
    private sealed partial class DoctorJson : JsonSerializerContext;
}
