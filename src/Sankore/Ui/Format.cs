using System.Globalization;
using Sankore.Platform.Text;

namespace Sankore.Ui;

/// <summary>Figures, amounts and times as people read them, in the request's culture.</summary>
public static class Format
{
    private const int MaxNamed = 5;

    private static bool English => CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "en";

    /// <summary>The page's own path with some of its query changed: never with the request's host.</summary>
    public static string With(this Microsoft.AspNetCore.Components.NavigationManager nav, params (string Name, object? Value)[] query) =>
        new Uri(Microsoft.AspNetCore.Components.NavigationManagerExtensions.GetUriWithQueryParameters(
            nav, query.ToDictionary(q => q.Name, q => q.Value))).PathAndQuery;

    /// <summary>A whole number with its groups of three: « 25 000 ».</summary>
    public static string Number(long value) => value.ToString("N0", CultureInfo.CurrentCulture);

    /// <summary>A figure, which need not be whole below ten: « 0,3 », « 12 », « 25 000 ». In live.js <c>data-format="number"</c>.</summary>
    public static string Figure(double value) => Math.Abs(value) < 10
        ? Math.Round((decimal)value, 1, MidpointRounding.AwayFromZero).ToString("0.#", CultureInfo.CurrentCulture)
        : Math.Round(Math.Clamp(value, -1e18, 1e18), MidpointRounding.AwayFromZero).ToString("N0", CultureInfo.CurrentCulture);

    /// <summary>Percent to a tenth: « 12,5 % »; null: « — ». <c>data-format="percent"</c>.</summary>
    public static string Percent(decimal? value) => value is { } percent
        ? Math.Round(percent, 1, MidpointRounding.AwayFromZero).ToString("0.#", CultureInfo.CurrentCulture) + (English ? "%" : "\u202f%")
        : "—";

    /// <summary>How long something takes: « 1 min 17 s »; null: « — ». <c>data-format="duration"</c>.</summary>
    public static string Duration(int? seconds) => seconds switch
    {
        null => "—",
        < 60 and var s => $"{s} s",
        < 3600 and var s => $"{s / 60} min {s % 60} s",
        { } s => $"{s / 3600} h {s % 3600 / 60} min",
    };

    /// <summary>The size of a file: « 340 ko », « 1,3 Mo ».</summary>
    public static string Size(long bytes)
    {
        var letter = English ? "B" : "o";
        return bytes < 1024 * 1024 ? $"{Number((bytes + 1023) / 1024)} {(letter == "o" ? "k" : "K")}{letter}"
            : $"{(bytes / (1024m * 1024)).ToString("0.#", CultureInfo.CurrentCulture)} M{letter}";
    }

    /// <summary>Whether there is a text.</summary>
    public static bool Has(this Microsoft.Extensions.Localization.IStringLocalizer strings, string key) => !strings[key].ResourceNotFound;

    /// <summary>
    /// A figure with its word in the right number: the resource holds « {0} groupe|{0} groupes ». French counts 0 as singular.
    /// </summary>
    public static string Count(this Microsoft.Extensions.Localization.IStringLocalizer strings, string key, long n)
    {
        var forms = strings[key].Value.Split('|');
        var one = English ? n == 1 : n is 0 or 1;
        return string.Format(CultureInfo.CurrentCulture, forms[one ? 0 : ^1], Number(n));
    }

    /// <summary>The first of many by their names, and how many more there are: « a, b, c et 34 autres ».</summary>
    public static string Named(
        this Microsoft.Extensions.Localization.IStringLocalizer<UiStrings> strings, IEnumerable<string> names, long all)
    {
        var first = names.Take(all <= MaxNamed ? MaxNamed : MaxNamed - 1).ToList();
        var named = string.Join(", ", first);
        return all > first.Count ? strings["named", named, Number(all - first.Count)] : named;
    }

    /// <summary>An amount in minor units of an ISO 4217 currency: « 25 000 FCFA » (XAF and XOF have no minor unit).</summary>
    public static string Money(long minor, string currency) => currency is "XAF" or "XOF"
        ? $"{Number(minor)} FCFA"
        : $"{(minor / 100m).ToString("N2", CultureInfo.CurrentCulture)} {currency}";

    /// <summary>A moment, in UTC+1 (West Africa Time): « 14 janv. 2025 à 17:30 ». <c>data-format="moment"</c>.</summary>
    public static string Moment(DateTime utc) =>
        Days.Local(utc).ToString(English ? "d MMM yyyy, HH:mm" : "d MMM yyyy 'à' HH:mm", CultureInfo.CurrentCulture);

    /// <summary>A time of day, in UTC+1: « 17:30:05 ». <c>data-format="time"</c>.</summary>
    public static string Time(DateTime utc) => Days.Local(utc).ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>A day: « 14 janv. 2025 ».</summary>
    public static string Day(DateOnly day) => day.ToString("d MMM yyyy", CultureInfo.CurrentCulture);

    /// <summary>A month: « janv. 2025 ».</summary>
    public static string Month(DateOnly day) => day.ToString("MMM yyyy", CultureInfo.CurrentCulture);

    public static string Day(DateTime utc) => Days.Local(utc).ToString("d MMM yyyy", CultureInfo.CurrentCulture);
}
