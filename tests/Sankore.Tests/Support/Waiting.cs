using System.Diagnostics;

namespace Sankore.Tests.Support;

/// <summary>Waiting is polling with a limit, never a sleep.</summary>
public static class Waiting
{
    /// <summary>Long: a machine may be busy with other things, and only a test that fails waits for it.</summary>
    private const int Limit = 60;

    /// <summary>Waits until something holds.</summary>
    public static async Task Until(Func<Task<bool>> holds, string what, int seconds = Limit)
    {
        var clock = Stopwatch.StartNew();
        while (!await holds())
        {
            if (clock.Elapsed.TotalSeconds > seconds)
            {
                throw new TimeoutException($"waited {seconds} s in vain until {what}");
            }
            await Task.Delay(20);
        }
    }

    /// <summary>Waits until something holds.</summary>
    public static Task Until(Func<bool> holds, string what, int seconds = Limit) => Until(() => Task.FromResult(holds()), what, seconds);

    /// <summary>Waits until something holds; says how far it came when it does not.</summary>
    public static async Task Until(Func<bool> holds, Func<string> what, int seconds)
    {
        try
        {
            await Until(holds, "", seconds);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"waited {seconds} s in vain until {what()}");
        }
    }
}
