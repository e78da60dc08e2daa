using System.Globalization;

namespace Sankore.Bench;

/// <summary>What Linux says a process has used.</summary>
internal static class Proc
{
    private const double TicksPerSecond = 100;

    /// <summary>CPU seconds, user and system.</summary>
    public static double Cpu(int process) => Stat(process) is { } f ? (Ticks(f, 11) + Ticks(f, 12)) / TicksPerSecond : 0;

    /// <summary>CPU seconds of a process, of its children, and of those that have ended.</summary>
    public static double CpuOfFamily(int process) =>
        (Stat(process) is { } f ? (Ticks(f, 11) + Ticks(f, 12) + Ticks(f, 13) + Ticks(f, 14)) / TicksPerSecond : 0)
            + Children(process).Sum(Cpu);

    /// <summary>Resident memory in bytes.</summary>
    public static long Resident(int process) =>
        long.Parse(
            File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("VmRSS", StringComparison.Ordinal))
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;

    /// <summary>The processes that a process has started.</summary>
    public static IReadOnlyList<int> Children(int process) =>
    [
        .. Directory.EnumerateDirectories("/proc")
        .Select(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && Stat(id) is { } fields && Ticks(fields, 1) == process),
    ];

    private static long Ticks(string[] fields, int index) => long.Parse(fields[index], CultureInfo.InvariantCulture);

    /// <summary>The fields behind the program's name; null when the process is gone.</summary>
    private static string[]? Stat(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
