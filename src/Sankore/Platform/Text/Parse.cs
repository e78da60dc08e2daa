using System.Globalization;

namespace Sankore.Platform.Text;

/// <summary>Reads numbers and ids that people wrote into a form; null for what is none.</summary>
public static class Parse
{
    /// <summary>A whole number without a sign, with or without spaces: <c>25000</c>, « 25 000 ».</summary>
    public static long? Amount(string? text) =>
        long.TryParse(
            string.Concat((text ?? "").Where(c => !char.IsWhiteSpace(c))), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>A whole number as <see cref="Amount"/> reads it, if an <c>int</c> can hold it.</summary>
    public static int? Number(string? text) => Amount(text) is { } number and <= int.MaxValue ? (int)number : null;

    /// <summary>An id in any of its usual spellings.</summary>
    public static Guid? Id(string? text) => Guid.TryParse(text, out var id) ? id : null;
}
