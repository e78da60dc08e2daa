using System.Globalization;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Sankore.Platform.Live;

namespace Sankore.Tests.Live;

/// <summary>A chart's line goes through its values, whatever they are.</summary>
public sealed partial class ChartTests
{
    private const int Width = 236, Height = 40;

    private static readonly Arbitrary<double[]> Values = Arb.From(
        from values in Gen.OneOf(
            Gen.Choose(0, 9).Select(n => (double)n),
            Gen.Choose(0, 1_000_000).Select(n => n / 7.0),
            Gen.Elements(0, double.NaN, double.PositiveInfinity, double.NegativeInfinity, -3, double.MaxValue, double.Epsilon))
            .NonEmptyListOf()
        select values.ToArray());

    [Theory]
    [InlineData("", new double[0])]
    [InlineData("M0 40H236", new double[] { 0 })]
    [InlineData("M0 0H236", new double[] { 7 })]
    [InlineData("M0 40H236", new double[] { 0, 0, 0 })]
    [InlineData("M0 40L118 20L236 0", new double[] { 0, 1, 2 })]
    [InlineData("M0 0L59 40H177L236 20", new double[] { 2, 0, 0, 0, 1 })]
    public void A_line_is_as_short_as_it_can_be(string path, double[] values) =>
        Chart.Path(values, Width, Height, values.DefaultIfEmpty().Max()).ShouldBe(path);

    [Theory]
    [InlineData(0, 0.5, 1), InlineData(0.4, 0.5, 1), InlineData(1, 0.5, 1), InlineData(1.2, 0.5, 1.5), InlineData(2.5, 1, 3)]
    [InlineData(4, 1, 4), InlineData(4.01, 2, 6), InlineData(12.35, 5, 15), InlineData(21, 10, 30), InlineData(1000, 500, 1000)]
    [InlineData(12_800, 5_000, 15_000), InlineData(61_000, 20_000, 80_000), InlineData(4e17, 1e17, 4e17)]
    public void A_scale_ends_at_a_round_figure_of_at_most_four_steps(double most, double step, double top) =>
        (Chart.Step(most), Chart.Top(most)).ShouldBe((step, top));

    [Fact]
    public void A_line_passes_each_value_at_its_height() => Prop.ForAll(Values, values =>
    {
        var sound = values.Select(v => double.IsFinite(v) && v > 0 ? v : 0).ToArray();
        var points = Points(Chart.Path(values, Width, Height, sound.Max()));
        points[0].X.ShouldBe(0);
        points[^1].X.ShouldBe(Width);
        points.Select(p => p.X).ShouldBe(points.Select(p => p.X).Order());
        for (var i = 0; i < values.Length; i++)
        {
            var x = values.Length == 1 ? 0 : (double)Width * i / (values.Length - 1);
            var wanted = sound.Max() > 0 ? Height * (1 - (sound[i] / sound.Max())) : Height;
            At(points, x).ShouldBe(wanted, Height * 0.02 + 0.1, $"{x} of {string.Join(' ', values)}");
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_line_is_the_same_in_every_language()
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("fr");
        try
        {
            Chart.Path([1, 3, 2.5], 5, 7, 3).ShouldBe("M0 4.7L2.5 0L5 1.2");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static List<(double X, double Y)> Points(string path)
    {
        Whole().IsMatch(path).ShouldBeTrue(path);
        var points = new List<(double X, double Y)>();
        foreach (Match step in Step().Matches(path))
        {
            var x = double.Parse(step.Groups[2].Value, CultureInfo.InvariantCulture);
            points.Add((x, step.Groups[3].Success ? double.Parse(step.Groups[3].Value, CultureInfo.InvariantCulture) : points[^1].Y));
        }
        return points;
    }

    /// <summary>The height of the line at some x: between the points beside it.</summary>
    private static double At(List<(double X, double Y)> points, double x)
    {
        var right = Math.Max(1, points.FindIndex(p => p.X >= x - 0.06));
        var (a, b) = (points[right - 1], points[right]);
        return b.X == a.X ? b.Y : a.Y + ((b.Y - a.Y) * Math.Clamp((x - a.X) / (b.X - a.X), 0, 1));
    }

    [GeneratedRegex(@"^M0 [\d.]+(?:L[\d.]+ [\d.]+|H[\d.]+)+$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"([MLH])([\d.]+)(?: ([\d.]+))?")]
    private static partial Regex Step();
}
