using System.Text.Json.Nodes;
using Sankore.Platform.Text;

namespace Sankore.Campaigns;

/// <summary>A message that a new template may start from, in the current language.</summary>
/// <param name="Key">Its name in the address of the page.</param>
/// <param name="Design">What it says; what its author has to fill in stands in double brackets: « [[samedi 14 mars]] ».</param>
public sealed record Starter(string Key, string Subject, MessageDesign Design);

/// <summary>
/// The starting templates: real e-mails, written out in <c>Starters/KEY-LANGUAGE.json</c>.
/// </summary>
public static class Starters
{
    /// <summary>The keys of all of them; their names are texts of the module (<c>starter.KEY</c>).</summary>
    public static readonly string[] Keys = ["invitation", "letter", "reminder"];

    /// <summary>One of them in the current language; null where there is none such.</summary>
    public static Starter? Find(string? key)
    {
        if (!Keys.Contains(key))
        {
            return null;
        }
        using var stream = typeof(Starters).Assembly.GetManifestResourceStream($"Starters/{key}-{Texts.Language}.json")!;
        using var reader = new StreamReader(stream);
        var said = JsonNode.Parse(reader.ReadToEnd())!;
        return new Starter(key!, said["subject"]!.GetValue<string>(), MessageDesign.Of(said["design"]!.ToJsonString())!);
    }
}
