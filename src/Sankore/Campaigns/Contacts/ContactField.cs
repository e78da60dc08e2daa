using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>What a person keeps of contacts besides what all of them have: a class, a date of birth.</summary>
/// <param name="Key">Its name in messages (<c>{{field.KEY}}</c>), files and filters; it never changes.</param>
/// <param name="Label">Its name on pages.</param>
/// <param name="Kind">One of <see cref="ContactFieldInput.Kinds"/>.</param>
/// <param name="Choices">What it may be, of a choice; otherwise none.</param>
/// <param name="Contacts">How many contacts have a value.</param>
public sealed partial record ContactField(
    Guid Id, string Key, string Label, string Kind, string[] Choices, long Contacts, int Version) : IVersioned
{
    /// <summary>Its column in a file, and its name on forms.</summary>
    internal string Column => "field_" + Key;

    /// <summary>A value it may have, as <see cref="Read"/> reads it; empty where anything may stand.</summary>
    internal string Example => Kind switch
    {
        "number" => "12",
        "date" => "2015-03-14",
        "choice" => Choices[0],
        _ => "",
    };

    /// <summary>
    /// What somebody wrote, as it is kept: a text, a number (with comma or point), a day (<c>yyyy-mm-dd</c>, or as French spreadsheets
    /// show it), or a choice in any case and accents.
    /// </summary>
    /// <param name="written">A text that is not empty.</param>
    /// <returns>Null when it is none of what the field may be.</returns>
    internal JsonValue? Read(string written) => Kind switch
    {
        "number" => NumberOf(written) is { } number ? JsonValue.Create(number) : null,
        "date" => Days.Written(written) is { } day ? JsonValue.Create(Days.Text(day)) : null,
        "choice" => (Choices.FirstOrDefault(c => c == written.Trim()) ?? Choices.FirstOrDefault(c => IsSame(c, written))) is { } choice
            ? JsonValue.Create(choice) : null,
        _ => written.Length <= ContactFieldInput.MaxValue && !written.Any(char.IsControl) ? JsonValue.Create(written) : null,
    };

    private static decimal? NumberOf(string written)
    {
        var plain = string.Concat(written.Where(c => !char.IsWhiteSpace(c)));
        // « 1,000 » is a thousand in English, and one in French.
        plain = Texts.Language == "en" && Thousands().IsMatch(plain) ? plain.Replace(",", "", StringComparison.Ordinal)
            : plain.Replace(',', '.');
        return plain.Length <= 20 && decimal.TryParse(
            plain, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number : null;
    }

    [System.Text.RegularExpressions.GeneratedRegex(@"^-?\d{1,3}(,\d{3})+(\.\d+)?$")]
    private static partial System.Text.RegularExpressions.Regex Thousands();

    private static bool IsSame(string one, string other) => CultureInfo.InvariantCulture.CompareInfo.Compare(
        one, other.Trim(), CompareOptions.IgnoreCase | CompareOptions.IgnoreNonSpace) == 0;
}

/// <summary>What a person writes of a field.</summary>
/// <param name="Kind">Of a new one; it stays.</param>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it.</param>
public sealed record ContactFieldInput(string? Label, string? Kind, IReadOnlyList<string>? Choices, int? Version)
{
    /// <summary>How long a text may be.</summary>
    public const int MaxValue = 500;

    /// <summary>How many fields a person may have.</summary>
    public const int MaxFields = 30;

    public static readonly string[] Kinds = ["text", "number", "date", "choice"];

    /// <summary>The input in its one form. Refuses with VALIDATION_FAILED.</summary>
    internal ContactFieldInput Normalized()
    {
        List<string> choices = Kind != "choice" ? []
            : [.. (Choices ?? []).OfType<string>().Select(c => c.Trim()).Where(c => c.Length > 0).Distinct()];
        var input = this with { Label = Texts.Blank(Label), Choices = choices };
        new Validation().Required("label", input.Label, 60).OneOf("kind", input.Kind, Kinds)
            .That("label", input.Label is null || KeyOf(input.Label).Length > 0)
            .That("choices", input.Kind != "choice" || choices.Count is > 0 and <= 100 && choices.TrueForAll(c => c.Length <= 60),
                "field.choices").Check();
        return input;
    }

    /// <summary>A key out of a label: « Classe de l'enfant » is <c>classe_de_enfant</c>; empty when no letter begins it.</summary>
    internal static string KeyOf(string label)
    {
        var key = Codes.Normalize(label).Replace('-', '_').TrimStart([.. "0123456789_"]);
        return Texts.Cut(key, 40).TrimEnd('_');
    }
}

/// <summary>Values of a contact's fields, as people read and write them.</summary>
internal static class FieldValues
{
    /// <summary>
    /// What is written of a contact, as it is kept; what is left empty is left out. What is wrong stands beside its column.
    /// </summary>
    /// <param name="fields">The fields there are.</param>
    /// <param name="written">Texts by key; those of no field are wrong.</param>
    /// <param name="before">What the contact had: what nobody changed stays, whatever the field has become.</param>
    /// <param name="validation">Takes what is wrong.</param>
    internal static JsonObject Read(
        IReadOnlyList<ContactField> fields, IReadOnlyDictionary<string, string?> written, JsonElement before, Validation validation)
    {
        var values = new JsonObject();
        foreach (var (key, text) in written)
        {
            var field = fields.FirstOrDefault(f => f.Key == key);
            if (Texts.Blank(text?.ReplaceLineEndings(" ")) is not { } given)
            {
                continue;
            }
            JsonNode? value = Raw(before, key) == given ? JsonNode.Parse(before.GetProperty(key).GetRawText()) : field?.Read(given);
            validation.That(field?.Column ?? "fields", value is not null, "field.value." + (field?.Kind ?? "unknown"));
            values[key] = value;
        }
        return values;
    }

    /// <summary>Texts by key, of values as a program sends them.</summary>
    internal static Dictionary<string, string?> Of(IReadOnlyDictionary<string, JsonElement> values) => values.ToDictionary(
        v => v.Key, v => v.Value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => v.Value.GetString(),
            _ => v.Value.GetRawText(),
        });

    /// <summary>A value as a form shows it: what <see cref="ContactField.Read"/> reads.</summary>
    internal static string? Raw(JsonElement values, string key) =>
        values.ValueKind == JsonValueKind.Object && values.TryGetProperty(key, out var value) ? value.ToString() : null;

    /// <summary>Values as a message says them, by key: numbers and days in its language.</summary>
    internal static Dictionary<string, string> Words(JsonElement values, CultureInfo language) =>
        values.ValueKind != JsonValueKind.Object ? [] : values.EnumerateObject().ToDictionary(v => v.Name, v => Word(v.Value, language));

    /// <summary>One value as a message says it.</summary>
    internal static string Word(JsonElement value, CultureInfo language) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDecimal().ToString("#,0.######", language),
        JsonValueKind.String when value.GetString() is { Length: 10 } text && Days.Calendar(text) is { } day =>
            day.ToString("d MMMM yyyy", language),
        _ => value.ToString(),
    };
}
