using System.Globalization;

namespace Sankore.Campaigns;

/// <summary>The HTML document around a message's content.</summary>
internal static class EmailDocument
{
    private const string Head =
        """<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"></head>""";

    /// <summary>
    /// A whole document: the content itself where it is one, otherwise a minimal one around it, in the current language and without
    /// anything foreign.
    /// </summary>
    public static string Of(string content)
    {
        var tags = HtmlParts.Of(content).Where(p => p.Kind == HtmlPartKind.Tag).Select(p => p.Name).ToHashSet();
        if (tags.Contains("html"))
        {
            return content;
        }
        var body = tags.Contains("body") || tags.Contains("head") ? content : $"<body>{content}</body>";
        var (language, head) = (CultureInfo.CurrentUICulture.TwoLetterISOLanguageName, tags.Contains("head") ? "" : Head);
        return $"""<!DOCTYPE html><html lang="{language}">{head}{body}</html>""";
    }

    /// <summary>The content with something more at its end, within its body and outside of every block.</summary>
    public static string WithLast(string content, string more)
    {
        var end = HtmlParts.Of(content).LastOrDefault(p => p is { Kind: HtmlPartKind.Tag, Name: "/body" });
        var isOutside = end != default && Count("{{#") == Count("{{/");
        return isOutside ? content.Insert(end.Start, more) : content + more;

        int Count(string mark) => content.AsSpan(0, end.Start).Count(mark);
    }
}
