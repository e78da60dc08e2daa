namespace Sankore.Tests.Support;

/// <summary>How much is tried: what a change needs every time, or with <c>./test --long</c> all of it.</summary>
internal static class Effort
{
    /// <summary>Whether this is a long run.</summary>
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("SANKORE_LONG") == "1";

    /// <summary>A number of people, rows or rounds.</summary>
    public static int Of(int usual, int inLongRun) => IsLong ? inLongRun : usual;

    /// <summary>Seeds for a theory: the first few, or in a long run all of them.</summary>
    public static TheoryData<int> Seeds(int usual, params int[] all) => [.. all.Take(Of(usual, all.Length))];
}
