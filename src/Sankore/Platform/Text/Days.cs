using System.Globalization;
using Sankore.Platform.Security;

namespace Sankore.Platform.Text;

/// <summary>
/// Days, as forms and filters have them: on the clocks of a zone that is said, or else in West Africa Time (UTC+1), where a day ends an
/// hour before it does in UTC.
/// </summary>
public static class Days
{
    private const string Iso = "yyyy-MM-dd";

    /// <summary>How far local time is ahead of UTC.</summary>
    public static readonly TimeSpan Offset = TimeSpan.FromHours(1);

    /// <summary>The end of a day that was filled in; null for none. Refuses with VALIDATION_FAILED.</summary>
    public static Moment? End(string field, string? day, TimeZoneInfo? zone = null)
    {
        var end = After(day?.Trim(), zone);
        new Validation().That(field, end is not null || string.IsNullOrWhiteSpace(day)).Check();
        return end;
    }

    /// <summary>The beginning of a day that a filter names; null for what is none.</summary>
    public static Moment? Start(string? day, TimeZoneInfo? zone = null) => Midnight(day, 0, zone);

    /// <summary>The end of a day that a filter names; null for what is none.</summary>
    public static Moment? After(string? day, TimeZoneInfo? zone = null) => Midnight(day, 1, zone);

    /// <summary>A moment as the clocks on the walls have it; one that is next to the end of all time stays as it is.</summary>
    public static DateTime Local(DateTime utc, TimeZoneInfo? zone = null) =>
        zone is not null ? TimeZoneInfo.ConvertTimeFromUtc(DateTime.SpecifyKind(utc, DateTimeKind.Utc), zone)
            : utc < DateTime.MaxValue - Offset ? utc.Add(Offset) : utc;

    /// <summary>The day of a moment, as a form shows it.</summary>
    public static string? Of(DateTime? at) => at is { } utc ? Local(utc).ToString(Iso, CultureInfo.InvariantCulture) : null;

    /// <summary>The last day before an end.</summary>
    public static DateOnly LastOf(DateTime end, TimeZoneInfo? zone = null) => DateOnly.FromDateTime(Local(end, zone).AddTicks(-1));

    /// <summary>The last day before an end, as a form shows it.</summary>
    public static string LastDay(DateTime end, TimeZoneInfo? zone = null) => LastOf(end, zone).ToString(Iso, CultureInfo.InvariantCulture);

    /// <summary>
    /// A day of a calendar as people write it: <c>yyyy-mm-dd</c>, with a time behind it or without, or as French spreadsheets show it,
    /// <c>d/m/yyyy</c>; null for what is none.
    /// </summary>
    public static DateOnly? Written(string text) => Calendar(text.Trim() switch
    {
        { Length: > 10 } stamp when stamp[10] is 'T' or ' ' => stamp[..10],
        var written when written.Split('/') is [var day, var month, { Length: 4 } year] =>
            $"{year}-{month.PadLeft(2, '0')}-{day.PadLeft(2, '0')}",
        var written => written,
    });

    /// <summary>A day as forms and programs write it: <c>yyyy-mm-dd</c>.</summary>
    public static string Text(DateOnly day) => day.ToString(Iso, CultureInfo.InvariantCulture);

    /// <summary>A day of a calendar, of no zone: <c>yyyy-mm-dd</c>; null for what is none.</summary>
    public static DateOnly? Calendar(string? day) =>
        DateOnly.TryParseExact(day, Iso, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
        && date.Year is >= Moment.FirstYear and <= Moment.LastYear ? date : null;

    /// <summary>A time of a day: <c>hh:mm</c>; null for what is none.</summary>
    public static TimeOnly? Time(string? time) =>
        TimeOnly.TryParseExact(time, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var at) ? at : null;

    private static Moment? Midnight(string? day, int daysLater, TimeZoneInfo? zone)
    {
        if (Calendar(day) is not { } date)
        {
            return null;
        }
        var local = date.AddDays(daysLater).ToDateTime(TimeOnly.MinValue);
        return Moment.Of(new DateTimeOffset(local, zone?.GetUtcOffset(local) ?? Offset));
    }
}
