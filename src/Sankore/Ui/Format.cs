using System.Globalization;
using Sankore.Platform.Text;

namespace Sankore.Ui;

/// <summary>Figures, amounts and times as people read them, in the request's culture.</summary>
public static class Format
{
    /// <summary>The page's own path with some of its query changed: never with the request's host.</summary>
    public static string With(this Microsoft.AspNetCore.Components.NavigationManager nav, params (string Name, object? Value)[] query) =>
        new Uri(Microsoft.AspNetCore.Components.NavigationManagerExtensions.GetUriWithQueryParameters(nav, query.ToDictionary(q => q.Name, q => q.Value))).PathAndQuery;

    /// <summary>The field of a live row that holds a figure as the reader's language writes it (<c>live.figure_texts</c>).</summary>
    public static string Field(string name) => $"{CultureInfo.CurrentUICulture.TwoLetterISOLanguageName}.{name}";

    /// <summary>A whole number with its groups of three: « 25 000 ».</summary>
    public static string Number(long value) => value.ToString("N0", CultureInfo.CurrentCulture);

    /// <summary>The size of a file: « 340 ko », « 1,3 Mo ».</summary>
    public static string Size(long bytes)
    {
        var letter = CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "en" ? "B" : "o";
        return bytes < 1024 * 1024 ? $"{Number((bytes + 1023) / 1024)} {(letter == "o" ? "k" : "K")}{letter}" : $"{(bytes / (1024m * 1024)).ToString("0.#", CultureInfo.CurrentCulture)} M{letter}";
    }

    /// <summary>Whether there is a text.</summary>
    public static bool Has(this Microsoft.Extensions.Localization.IStringLocalizer strings, string key) => !strings[key].ResourceNotFound;

    /// <summary>A figure with its word in the right number: the resource holds « {0} groupe|{0} groupes ». French counts 0 as singular.</summary>
    public static string Count(this Microsoft.Extensions.Localization.IStringLocalizer strings, string key, long n)
    {
        var forms = strings[key].Value.Split('|');
        var one = CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "en" ? n == 1 : n is 0 or 1;
        return string.Format(CultureInfo.CurrentCulture, forms[one ? 0 : ^1], Number(n));
    }

    /// <summary>An amount in minor units of an ISO 4217 currency: « 25 000 FCFA » (XAF and XOF have no minor unit).</summary>
    public static string Money(long minor, string currency) => currency is "XAF" or "XOF"
        ? $"{Number(minor)} FCFA"
        : $"{(minor / 100m).ToString("N2", CultureInfo.CurrentCulture)} {currency}";

    /// <summary>A moment, in UTC+1 (West Africa Time): « 14 janv. 2025 à 17:30 ».</summary>
    public static string Moment(DateTime utc)
    {
        var local = utc.Add(Days.Offset);
        return CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "en"
            ? local.ToString("d MMM yyyy, HH:mm", CultureInfo.CurrentCulture)
            : local.ToString("d MMM yyyy 'à' HH:mm", CultureInfo.CurrentCulture);
    }

    /// <summary>A day.</summary>
    public static string Day(DateTime utc) => utc.Add(Days.Offset).ToString("d MMM yyyy", CultureInfo.CurrentCulture);
}
