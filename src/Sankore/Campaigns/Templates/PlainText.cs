using System.Text;
using System.Text.RegularExpressions;
using AngleSharp.Dom;

namespace Sankore.Campaigns;

/// <summary>
/// The plain text that goes beside an HTML body, for readers who do not show HTML. Merge fields stay as they are, to be filled in.
/// </summary>
public static partial class PlainText
{
    private static readonly HashSet<string> Silent = ["SCRIPT", "STYLE", "HEAD", "TITLE", "TEMPLATE", "NOSCRIPT"];

    private static readonly HashSet<string> Blocks =
    [
        "P", "DIV", "SECTION", "ARTICLE", "HEADER", "FOOTER", "MAIN", "H1", "H2", "H3", "H4", "H5", "H6", "UL", "OL", "TABLE", "BLOCKQUOTE",
        "PRE", "ADDRESS", "FIGURE", "HR", "CENTER",
    ];

    /// <summary>
    /// The text of an HTML document or a part of one: blocks stand apart, lists have their dashes, links their address behind them.
    /// Refuses with VALIDATION_FAILED beside <c>content</c> what is too large to be worked on.
    /// </summary>
    public static string Of(string html)
    {
        var text = new StringBuilder();
        using var document = Markup.Read(InOneBody(html));
        Write(document.Body!, text);
        return Gaps().Replace(Ends().Replace(text.ToString(), "\n"), "\n\n").Trim();
    }

    /// <summary>
    /// Blocks as comments, which may stand anywhere: between the rows of a table, too, where text would be moved out from. And all of it in
    /// one body, whatever comes first or behind its end.
    /// </summary>
    private static string InOneBody(string html)
    {
        var kept = new StringBuilder("<body>", html.Length);
        foreach (var part in HtmlParts.Of(html).Where(p => p.Name is not ("/body" or "/html")))
        {
            var said = html[part.Start..part.End];
            kept.Append(part.Kind == HtmlPartKind.Text ? MergeText.BlockTag().Replace(said, "<!--$0-->") : said);
        }
        return kept.ToString();
    }

    private static void Write(INode node, StringBuilder text)
    {
        foreach (var child in node.ChildNodes)
        {
            if (child is IText words)
            {
                var said = Blanks().Replace(words.Data, " ");
                text.Append(text.Length == 0 || char.IsWhiteSpace(text[^1]) ? said.TrimStart() : said);
            }
            else if (
                child is IComment comment && MergeText.BlockTag().Match(comment.Data.Trim()) is { Success: true } tag
                && tag.Length == comment.Data.Trim().Length)
            {
                text.Append(tag.Value);
            }
            else if (child is IElement element && !Silent.Contains(element.TagName) && !IsHidden(element))
            {
                Write(element, text);
            }
        }
    }

    /// <summary>What mail programs show beside the subject, and nobody in the message.</summary>
    private static bool IsHidden(IElement element) =>
        element.HasAttribute("hidden") || (element.GetAttribute("style") is { } style && HiddenStyle().IsMatch(style));

    private static void Write(IElement element, StringBuilder text)
    {
        switch (element.TagName)
        {
            case "BR":
                text.Append('\n');
                break;
            case "HR":
                text.Append("\n\n---\n\n");
                break;
            case "IMG":
                text.Append(element.GetAttribute("alt"));
                break;
            case "LI":
                text.Append("\n- ");
                Write((INode)element, text);
                break;
            case "TR":
                text.Append('\n');
                Write((INode)element, text);
                break;
            case "TD" or "TH":
                Write((INode)element, text);
                text.Append("  ");
                break;
            case "A":
                Link(element, text);
                break;
            default:
                var isBlock = Blocks.Contains(element.TagName);
                text.Append(isBlock ? "\n\n" : "");
                Write((INode)element, text);
                text.Append(isBlock ? "\n\n" : "");
                break;
        }
    }

    private static void Link(IElement link, StringBuilder text)
    {
        var before = text.Length;
        Write((INode)link, text);
        var (said, address) = (text.ToString(before, text.Length - before).Trim(), link.GetAttribute("href")?.Trim());
        if (!string.IsNullOrEmpty(address) && address[0] != '#' && said != address && "mailto:" + said != address)
        {
            text.Append(said.Length == 0 ? address : $" ({address})");
        }
    }

    [GeneratedRegex(@"[ \t\r\n\f\u00A0]+")]
    private static partial Regex Blanks();

    [GeneratedRegex(@"\bdisplay\s*:\s*none\b", RegexOptions.IgnoreCase)]
    private static partial Regex HiddenStyle();

    [GeneratedRegex(@"[ \t]+\n|\n[ \t]+")]
    private static partial Regex Ends();

    [GeneratedRegex(@"\n{3,}")]
    private static partial Regex Gaps();
}
