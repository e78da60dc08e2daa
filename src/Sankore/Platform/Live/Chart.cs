using System.Globalization;
using System.Text;

namespace Sankore.Platform.Live;

/// <summary>Scales of charts, and lines ready to be drawn.</summary>
public static class Chart
{
    /// <summary>
    /// The step of a scale: 1, 2 or 5 times a power of ten, of which at most four reach <paramref name="most"/>; a half for whatever is
    /// below two.
    /// </summary>
    public static double Step(double most)
    {
        var least = Math.Max(2, most);
        var ten = Math.Pow(10, Math.Floor(Math.Log10(least / 4)));
        return new[] { 1, 2, 5, 10 }.Select(n => n * ten).First(step => 4 * step >= least);
    }

    /// <summary>Where a scale ends: the first of its steps, from 1 up, that is not below <paramref name="most"/>.</summary>
    public static double Top(double most) => Math.Ceiling(Math.Max(1, most) / Step(most)) * Step(most);

    /// <summary>
    /// An SVG path through values at equal distances, from x = 0 to <paramref name="width"/>: <paramref name="top"/> is at y = 0, zero
    /// lies on the ground (y = <paramref name="height"/>). What is no finite number above zero counts as zero.
    /// </summary>
    public static string Path(IReadOnlyList<double> values, int width, int height, double top)
    {
        if (values.Count == 0)
        {
            return "";
        }
        var step = (double)width / Math.Max(1, values.Count - 1);
        var path = new StringBuilder($"M0 {Y(values[0])}");
        for (var i = 1; i < values.Count; i++)
        {
            // A level stretch is one stroke: the line travels with every event.
            if (Y(values[i]) != Y(values[i - 1]))
            {
                path.Append(CultureInfo.InvariantCulture, $"L{Text(i * step)} {Y(values[i])}");
            }
            else if (i == values.Count - 1 || Y(values[i]) != Y(values[i + 1]))
            {
                path.Append(CultureInfo.InvariantCulture, $"H{Text(i * step)}");
            }
        }
        return values.Count == 1 ? $"{path}H{width}" : path.ToString();

        string Y(double value) => Text(top > 0 ? height - (height * (Sound(value) / top)) : height);
    }

    /// <summary>The value, or zero where it is no finite number above zero.</summary>
    public static double Sound(double value) => double.IsFinite(value) ? Math.Max(0, value) : 0;

    private static string Text(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);
}
