using System.Globalization;
using System.Text.Json;
using Sankore.Platform.Imports;

namespace Sankore.Ui;

/// <summary>How a file is to be read, as the preview's form has it.</summary>
internal class ImportFields
{
    /// <summary>The sheet's place.</summary>
    public string? Sheet { get; set; }

    /// <summary>Whether there is a head.</summary>
    public bool HasHeader { get; set; }

    /// <summary>How many rows stand above it.</summary>
    public string? Above { get; set; }

    /// <summary>The place of each column, by its name; empty: the file has none such.</summary>
    public Dictionary<string, string> Columns { get; set; } = [];

    /// <summary>The sheet's place as a number; -1: it is none.</summary>
    public int SheetPlace => Place(Sheet);

    /// <summary>Fills in what a sheet suggests.</summary>
    public static T Guessed<T>(ImportView import, int sheet) where T : ImportFields, new()
    {
        var guess = import.Guess(sheet);
        return new T
        {
            Sheet = sheet.ToString(CultureInfo.InvariantCulture),
            HasHeader = guess.HasHeader,
            Above = guess.Above.ToString(CultureInfo.InvariantCulture),
            Columns = guess.Columns.ToDictionary(c => c.Key, c => c.Value.ToString(CultureInfo.InvariantCulture)),
        };
    }

    /// <summary>What was chosen; a place that is no number is none.</summary>
    public ImportSettings ToSettings(JsonElement? options) => new(
        SheetPlace, HasHeader, Columns.Where(c => c.Value.Length > 0).ToDictionary(c => c.Key, c => Place(c.Value)), options,
        Math.Clamp(Place(Above), 0, 1000));

    private static int Place(string? chosen) =>
        int.TryParse(chosen, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place : -1;
}
