using System.Globalization;

namespace Sankore.Bench;

/// <summary>
/// How many events came after how long, in steps of a tenth of a millisecond; small enough to be handed from process to process as a line.
/// </summary>
internal sealed class Latencies
{
    private readonly SortedDictionary<int, int> _counts = [];

    /// <summary>Events in all.</summary>
    public long Count { get; private set; }

    /// <summary>The longest, in milliseconds.</summary>
    public double Max => _counts.Count > 0 ? _counts.Keys.Last() / 10.0 : double.NaN;

    /// <summary>Adds <paramref name="count"/> events.</summary>
    public void Add(double milliseconds, int count) => Add((int)Math.Round(milliseconds * 10), count);

    /// <summary>Adds all events of another.</summary>
    public void Add(Latencies other)
    {
        foreach (var (tenths, count) in other._counts)
        {
            Add(tenths, count);
        }
    }

    /// <summary>What the given share of the events did not exceed, in milliseconds.</summary>
    public double At(double share)
    {
        var (seen, wanted) = (0L, Count * share);
        foreach (var (tenths, count) in _counts)
        {
            if ((seen += count) >= wanted)
            {
                return tenths / 10.0;
            }
        }
        return double.NaN;
    }

    /// <summary>As one word.</summary>
    public override string ToString() =>
        string.Join(',', _counts.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Key}:{c.Value}")));

    /// <summary>From <see cref="ToString"/>.</summary>
    public static Latencies Parse(string word)
    {
        var latencies = new Latencies();
        foreach (var pair in word.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            latencies.Add(
                int.Parse(pair.AsSpan(0, colon), CultureInfo.InvariantCulture),
                int.Parse(pair.AsSpan(colon + 1), CultureInfo.InvariantCulture));
        }
        return latencies;
    }

    private void Add(int tenths, int count)
    {
        _counts[tenths] = _counts.GetValueOrDefault(tenths) + count;
        Count += count;
    }
}
