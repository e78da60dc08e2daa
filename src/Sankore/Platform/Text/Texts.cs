namespace Sankore.Platform.Text;

/// <summary>Texts as people write them.</summary>
public static class Texts
{
    /// <summary>A text without blanks around it; null for one that says nothing.</summary>
    public static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
