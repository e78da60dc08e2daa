using Sankore.Platform.Text;

namespace Sankore.Campaigns;

/// <summary>A message that a new template may start from, in the current language.</summary>
/// <param name="Key">Its name in the address of the page.</param>
public sealed record Starter(string Key, string Subject, string Content);

/// <summary>
/// The starting templates: real e-mails, written out in <c>Starters/KEY-LANGUAGE.html</c>, whose <c>title</c> is the subject.
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
        using var stream = typeof(Starters).Assembly.GetManifestResourceStream($"Starters/{key}-{Texts.Language}.html")!;
        using var reader = new StreamReader(stream);
        var content = reader.ReadToEnd();
        var (from, to) = (content.IndexOf("<title>", StringComparison.Ordinal) + 7, content.IndexOf("</title>", StringComparison.Ordinal));
        return new Starter(key!, content[from..to], content);
    }
}
