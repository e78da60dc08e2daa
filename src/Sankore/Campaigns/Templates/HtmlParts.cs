namespace Sankore.Campaigns;

/// <summary>What a stretch of HTML is.</summary>
internal enum HtmlPartKind
{
    Text,

    /// <summary>An element's start or end, with its attributes.</summary>
    Tag,

    /// <summary>What stands in a <c>style</c>, <c>script</c>, <c>title</c> or <c>textarea</c>: no markup there.</summary>
    Raw,

    /// <summary>A comment, or a declaration.</summary>
    Comment,
}

/// <summary>A stretch of HTML.</summary>
/// <param name="Name">Of a tag, or of the element that holds raw text: in lower case, a <c>/</c> before that of an end.</param>
internal readonly record struct HtmlPart(HtmlPartKind Kind, string Name, int Start, int End);

/// <summary>
/// Takes HTML apart where it stands, which a parsed document no longer tells: to change a place of it and leave the rest byte for byte. In
/// one pass, whatever is written.
/// </summary>
internal static class HtmlParts
{
    private static readonly HashSet<string> RawText = ["style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes"];

    /// <summary>The parts, in order and without gaps.</summary>
    public static IEnumerable<HtmlPart> Of(string html)
    {
        var (start, at) = (0, 0);
        while (at < html.Length)
        {
            var next = PartAt(html, at);
            if (next is not { } part)
            {
                at++;
                continue;
            }
            if (start < at)
            {
                yield return new HtmlPart(HtmlPartKind.Text, "", start, at);
            }
            yield return part;
            start = at = part.End;
            if (RawText.Contains(part.Name))
            {
                start = at = EndOfRaw(html, part);
                yield return new HtmlPart(HtmlPartKind.Raw, part.Name, part.End, at);
            }
        }
        if (start < html.Length)
        {
            yield return new HtmlPart(HtmlPartKind.Text, "", start, html.Length);
        }
    }

    private static HtmlPart? PartAt(string html, int at)
    {
        if (html[at] != '<' || at + 1 == html.Length)
        {
            return null;
        }
        if (html.AsSpan(at).StartsWith("<!--"))
        {
            return new HtmlPart(HtmlPartKind.Comment, "", at, After(html, "-->", at + 4));
        }
        if (html[at + 1] is '!' or '?')
        {
            return new HtmlPart(HtmlPartKind.Comment, "", at, After(html, ">", at + 2));
        }
        var name = at + (html[at + 1] == '/' ? 2 : 1);
        if (name == html.Length || !char.IsAsciiLetter(html[name]))
        {
            return null;
        }
        var end = name;
        while (end < html.Length && html[end] is not ('>' or '/') && !char.IsWhiteSpace(html[end]))
        {
            end++;
        }
        return new HtmlPart(HtmlPartKind.Tag, html[(at + 1)..end].ToLowerInvariant(), at, EndOfTag(html, end));
    }

    /// <summary>Behind the <c>&gt;</c> that is in no attribute's quotes: a quote opens a value only behind its <c>=</c>.</summary>
    private static int EndOfTag(string html, int at)
    {
        var awaitsValue = false;
        for (; at < html.Length; at++)
        {
            switch (html[at])
            {
                case '>':
                    return at + 1;
                case '"' or '\'' when awaitsValue:
                    at = html.IndexOf(html[at], at + 1);
                    if (at < 0)
                    {
                        return html.Length;
                    }
                    awaitsValue = false;
                    break;
                default:
                    awaitsValue = html[at] == '=' || (awaitsValue && char.IsWhiteSpace(html[at]));
                    break;
            }
        }
        return html.Length;
    }

    private static int EndOfRaw(string html, HtmlPart tag)
    {
        var end = html.IndexOf("</" + tag.Name, tag.End, StringComparison.OrdinalIgnoreCase);
        return end < 0 ? html.Length : end;
    }

    private static int After(string html, string mark, int from)
    {
        var end = from > html.Length ? -1 : html.IndexOf(mark, from, StringComparison.Ordinal);
        return end < 0 ? html.Length : end + mark.Length;
    }
}
