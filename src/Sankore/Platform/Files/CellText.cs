using System.Globalization;
using System.Text;

namespace Sankore.Platform.Files;

/// <summary>What a cell shows, as text.</summary>
internal static class CellText
{
    /// <summary>Trimmed, its lines ending with a line feed, and without what no text has: a NUL, half of a character.</summary>
    public static string Clean(string text)
    {
        var clean = text.Contains('\0', StringComparison.Ordinal) ? text.Replace("\0", "", StringComparison.Ordinal) : text;
        clean = clean.Contains('\r', StringComparison.Ordinal) ? clean.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n')
            : clean;
        clean = clean.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(clean)) : clean;
        return clean.Trim();
    }

    /// <summary>A number as a spreadsheet keeps it: 15 digits, never an exponent.</summary>
    public static string Number(double value) => !double.IsFinite(value) ? ""
        : Math.Abs(value) < 1e27 ? ((decimal)value).ToString("0.############################", CultureInfo.InvariantCulture)
        : value.ToString("0", CultureInfo.InvariantCulture);

    /// <summary>ISO: a day, a day with its time, or a time alone (a time alone stands on the day before the first of 1900).</summary>
    public static string Date(DateTime date)
    {
        var rounded = new DateTime((date.Ticks + TimeSpan.TicksPerSecond / 2) / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond);
        var form = rounded.Year < 1900 ? "HH:mm:ss" : rounded.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : "yyyy-MM-ddTHH:mm:ss";
        return rounded.ToString(form, CultureInfo.InvariantCulture);
    }

    /// <summary>A date that a file has in ISO, as it is shown; what is none stays as it is.</summary>
    public static string Iso(string text) => DateTime.TryParse(text, CultureInfo.InvariantCulture, out var date) ? Date(date) : text;

    /// <summary>A length of time, of more than 24 hours too: 30:15:00.</summary>
    public static string Time(TimeSpan time)
    {
        var seconds = (long)Math.Round(Math.Abs(time.TotalSeconds));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{(time < TimeSpan.Zero ? "-" : "")}{seconds / 3600:00}:{seconds / 60 % 60:00}:{seconds % 60:00}");
    }
}
