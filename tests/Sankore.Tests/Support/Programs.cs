using System.Diagnostics;
using System.Globalization;

namespace Sankore.Tests.Support;

/// <summary>Programs that tests start: they hear every signal, and nobody waits for one without a limit.</summary>
internal static class Programs
{
    private const string Dotnet = "dotnet";

    /// <summary>
    /// How to start a .NET program. A shell has what it starts in the background ignore INT, and children inherit that: it is put right.
    /// </summary>
    public static ProcessStartInfo Net(params string[] arguments) => new(
        OperatingSystem.IsLinux() ? "env" : Dotnet,
        OperatingSystem.IsLinux() ? ["--default-signal=INT,QUIT", Dotnet, .. arguments] : arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        // Each lives for seconds: see the project file.
        Environment = { ["DOTNET_TieredPGO"] = "0" },
    };

    /// <summary>Sends a signal.</summary>
    public static async Task Signal(int process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        await kill.Ended();
    }

    /// <summary>Waits for a program's end; one that does not end in time is killed, and the test fails.</summary>
    /// <returns>Its exit code.</returns>
    public static async Task<int> Ended(this Process process, int seconds = 120)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException(
                $"waited {seconds} s in vain for the end of {process.StartInfo.FileName} "
                + $"{string.Join(' ', process.StartInfo.ArgumentList)}");
        }
    }
}
