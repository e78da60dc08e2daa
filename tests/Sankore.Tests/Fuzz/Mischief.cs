namespace Sankore.Tests.Fuzz;

/// <summary>Decides which places of a request have a wrong value: none, one of them, or here and there one.</summary>
internal sealed class Mischief
{
    private readonly Func<int, bool> _strikes;
    private readonly Func<int, int> _choose;

    private Mischief(Func<int, bool> strikes, Func<int, int> choose) => (_strikes, _choose) = (strikes, choose);

    /// <summary>How many places there were.</summary>
    public int Places { get; private set; }

    /// <summary>How many of them were struck.</summary>
    public int Strikes { get; private set; }

    /// <summary>How many wrong values the last place had to choose from that was struck.</summary>
    public int Choices { get; private set; }

    /// <summary>A request that is right everywhere.</summary>
    public static Mischief None() => new(_ => false, _ => 0);

    /// <summary>A request that is wrong at one place, in one of the ways that there are.</summary>
    public static Mischief One(int place, int choice) => new(p => p == place, _ => choice);

    /// <summary>A request that is wrong at many places.</summary>
    public static Mischief Many(Random random, double rate) => new(_ => random.NextDouble() < rate, random.Next);

    /// <summary>A place: its right value, or a wrong one.</summary>
    public T At<T>(T right, IReadOnlyList<T> wrong)
    {
        if (!_strikes(Places++))
        {
            return right;
        }
        (Strikes, Choices) = (Strikes + 1, wrong.Count);
        return wrong[_choose(wrong.Count)];
    }
}
