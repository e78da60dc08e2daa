using System.Buffers;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Sankore.Platform.Files;

/// <summary>
/// How a cell shows its number: as a date, as a length of time, through a mask of digits (a phone, a code that begins with zeros), or as it
/// is.
/// </summary>
internal sealed partial class CellFormat
{
    // From here on a spreadsheet has no dates.
    private const double LastDay = 2_958_466;

    private static readonly SearchValues<char> DayParts = SearchValues.Create("yYmMdDhHsS");
    private static readonly CellFormat Day = new("yyyy-mm-dd");
    private static readonly CellFormat Duration = new("[h]:mm:ss");

    /// <summary>Shows numbers as they are.</summary>
    public static readonly CellFormat Plain = new("");

    private readonly bool _isDate;
    private readonly bool _isDuration;
    private readonly string? _mask;

    /// <param name="code">As the workbook writes it: « dd/mm/yyyy », « [h]:mm », « 0#" "##" "## ».</param>
    public CellFormat(string code)
    {
        var section = code.Split(';')[0];
        var bare = Ornaments().Replace(section, "");
        _mask = Mask().IsMatch(section) ? section : null;
        _isDuration = Durations().IsMatch(bare);
        _isDate = Brackets().Replace(bare, "").AsSpan().ContainsAny(DayParts);
    }

    /// <summary>The formats that have a number and are not written down, by that number.</summary>
    public static CellFormat BuiltIn(int id) => id switch
    {
        >= 14 and <= 22 or >= 27 and <= 36 or 45 or 47 or >= 50 and <= 58 => Day,
        46 => Duration,
        _ => Plain,
    };

    /// <summary>What a cell shows of a number.</summary>
    /// <param name="value">The number; of a date, the days since the end of 1899.</param>
    /// <param name="epoch">Days to add to a date, where a workbook counts from another day.</param>
    public string Show(double value, int epoch = 0) =>
        _mask is not null && value is >= 0 and < 1e15 && value == Math.Floor(value)
            ? ((decimal)value).ToString(_mask, CultureInfo.InvariantCulture)
        : _isDuration && Math.Abs(value) < LastDay ? CellText.Time(TimeSpan.FromDays(value))
        : _isDate && value + epoch is >= 0 and < LastDay ? CellText.Date(DayOf(value + epoch))
        : CellText.Number(value);

    // Spreadsheets give 1900 a 29 February: days before it count one less.
    private static DateTime DayOf(double value) =>
        new DateTime(1899, 12, 30).AddTicks((long)((value < 60 ? value + 1 : value) * TimeSpan.TicksPerDay));

    [GeneratedRegex("""^(?=.*[0#].*[0#])(?=.*0)(?:[0#() +-]|"[ .+()-]*"|\\[ .+()-])+$""")]
    private static partial Regex Mask();

    [GeneratedRegex("""("[^"]*"?|\\.|_.|\*.)""")]
    private static partial Regex Ornaments();

    [GeneratedRegex(@"\[[^\]]*\]?")]
    private static partial Regex Brackets();

    [GeneratedRegex(@"\[(h+|m+|s+)\]", RegexOptions.IgnoreCase)]
    private static partial Regex Durations();
}
