using System.Globalization;
using Sankore.Platform.Security;

namespace Sankore.Platform.Text;

/// <summary>Days, as forms and filters have them, in West Africa Time (UTC+1), where a day ends an hour before it does in UTC.</summary>
public static class Days
{
    /// <summary>How far local time is ahead of UTC.</summary>
    public static readonly TimeSpan Offset = TimeSpan.FromHours(1);

    /// <summary>The end of a day that was filled in; null for none. Refuses with VALIDATION_FAILED.</summary>
    public static DateTimeOffset? End(string field, string? day)
    {
        if (string.IsNullOrWhiteSpace(day))
        {
            return null;
        }
        var start = Start(day.Trim());
        new Validation().That(field, start is not null).Check();
        return start!.Value.AddDays(1);
    }

    /// <summary>The beginning of a day that a filter names; null for what is none.</summary>
    public static DateTimeOffset? Start(string? day) =>
        DateOnly.TryParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            && date.Year is > 1999 and < 2200 ? new DateTimeOffset(date.ToDateTime(TimeOnly.MinValue), Offset) : null;

    /// <summary>The last day before an end, as a form shows it.</summary>
    public static string LastDay(DateTime end) => end.Add(Offset).AddTicks(-1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
