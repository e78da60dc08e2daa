using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Markdig;
using Markdig.Helpers;
using Markdig.Parsers;
using Markdig.Parsers.Inlines;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>
/// The texts of a message's blocks: Markdown with merge fields, as HTML for mail programs. What stands in a text is text: no markup of its
/// author's gets through.
/// </summary>
internal static partial class DesignText
{
    private const int MaxDepth = 60;

    private static readonly MarkdownPipeline Pipeline = Pipe();

    /// <summary>A merge field in Markdown: it is left as it is, to be filled in.</summary>
    private sealed class FieldInline(string tag) : LeafInline
    {
        public string Tag { get; } = tag;
    }

    private sealed class FieldParser : InlineParser
    {
        public FieldParser() => OpeningCharacters = ['{'];

        public override bool Match(InlineProcessor processor, ref StringSlice slice)
        {
            var match = Field().Match(slice.Text, slice.Start, slice.Length);
            if (!match.Success || match.Index != slice.Start)
            {
                return false;
            }
            processor.Inline = new FieldInline(Tag(match.Value));
            slice.Start += match.Length;
            return true;
        }
    }

    /// <summary>Paragraphs and lists as HTML.</summary>
    /// <param name="markdown">The text.</param>
    /// <param name="color">Of its links.</param>
    public static string Html(string? markdown, string color)
    {
        var html = new StringBuilder();
        foreach (var block in Markdown.Parse(markdown ?? "", Pipeline))
        {
            Write(html, block, color);
        }
        return html.ToString();
    }

    /// <summary>One line as HTML: text and merge fields.</summary>
    public static string Line(string? text) =>
        Field().Split(text ?? "").Zip(Field().Matches(text ?? "").Select(m => m.Value).Append(""), (said, tag) => Encode(said) + Tag(tag))
            .Aggregate(new StringBuilder(), (html, part) => html.Append(part), html => html.ToString());

    // What is no field that can be filled in is text like any other.
    private static string Tag(string tag) => tag.AsSpan().ContainsAny('<', '>') || MistakeOf(tag) is not null ? Encode(tag) : tag;

    /// <summary>What is wrong with the merge fields of a text; null: nothing. Only single fields are taken, no conditions.</summary>
    public static FieldError? MistakeOf(string text) =>
        MergeText.Mistake(text) ?? (MergeText.BlockTag().Match(text) is { Success: true } block
            ? new FieldError("merge.unknown", block.Value) : null);

    /// <summary>What is wrong with an address that something leads to; null: nothing.</summary>
    public static FieldError? MistakeOfAddress(string address) =>
        MistakeOf(address)
        ?? (IsAddress(Bare(address)) ? null : new FieldError("html.no_scheme", Platform.Text.Texts.Shortened(address, 80)));

    /// <summary>What is wrong with the links of a text, or with how its lists lie in each other; null: nothing.</summary>
    public static FieldError? MistakeOfLinks(string markdown)
    {
        MarkdownDocument document;
        try
        {
            document = Markdown.Parse(markdown, Pipeline);
        }
        catch (ArgumentException)
        {
            // What lies too deep in itself: the parser gives up.
            return new FieldError("html.large");
        }
        return IsDeep(document) ? new FieldError("html.large")
            : document.Descendants<LinkInline>().Select(link => MistakeOfAddress(link.Url ?? "")).FirstOrDefault(m => m is not null);
    }

    /// <summary>Whether a text lies deeper in itself than anybody writes, and deeper than can be written out.</summary>
    private static bool IsDeep(MarkdownDocument document)
    {
        var open = new Stack<(MarkdownObject Part, int Depth)>([(document, 0)]);
        while (open.TryPop(out var next))
        {
            if (next.Depth > MaxDepth)
            {
                return true;
            }
            var within = next.Part switch
            {
                ContainerBlock block => block,
                LeafBlock { Inline: { } inline } => [inline],
                ContainerInline inline => inline,
                _ => Enumerable.Empty<MarkdownObject>(),
            };
            foreach (var part in within)
            {
                open.Push((part, next.Depth + 1));
            }
        }
        return false;
    }

    /// <summary>A text as HTML has it, in an element or in quotes.</summary>
    public static string Encode(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("\"", "&quot;", StringComparison.Ordinal);

    /// <summary>An address in which something is still to be written (<see cref="DesignMail.Placeholders"/>).</summary>
    private static string Bare(string address) =>
        address.Replace("[[", "", StringComparison.Ordinal).Replace("]]", "", StringComparison.Ordinal);

    private static bool IsAddress(string address) =>
        address is "{{unsubscribe_url}}" || (Uri.TryCreate(address, UriKind.Absolute, out var uri)
            && uri.Scheme is "http" or "https" or "mailto" or "tel" && !address.Any(char.IsControl));

    private static MarkdownPipeline Pipe()
    {
        var builder = new MarkdownPipelineBuilder().DisableHtml().UseSoftlineBreakAsHardlineBreak();
        // Letters, not programs: what is indented or quoted is meant as it looks.
        builder.BlockParsers.RemoveAll(p =>
            p is IndentedCodeBlockParser or FencedCodeBlockParser or QuoteBlockParser or HtmlBlockParser or ThematicBreakParser);
        builder.BlockParsers.Find<ParagraphBlockParser>()!.ParseSetextHeadings = false;
        builder.InlineParsers.RemoveAll(p => p is CodeInlineParser);
        builder.InlineParsers.Insert(0, new FieldParser());
        return builder.Build();
    }

    private static void Write(StringBuilder html, Block block, string color)
    {
        switch (block)
        {
            case ListBlock list:
                var tag = list.IsOrdered ? "ol" : "ul";
                html.Append(CultureInfo.InvariantCulture, $"""<{tag} style="margin:0 0 16px;padding:0 0 0 24px">""");
                foreach (var item in list.OfType<ListItemBlock>())
                {
                    html.Append("""<li style="margin:0 0 6px">""");
                    WriteItem(html, item, color);
                    html.Append("</li>");
                }
                html.Append(CultureInfo.InvariantCulture, $"</{tag}>");
                break;
            case ThematicBreakBlock:
                html.Append("""<hr style="margin:8px 0 24px;border:0;border-top:1px solid #d9cfbf">""");
                break;
            case LeafBlock { Inline: { } inline }:
                html.Append("""<p style="margin:0 0 16px">""");
                Write(html, inline, color);
                html.Append("</p>");
                break;
            case ContainerBlock container:
                foreach (var child in container)
                {
                    Write(html, child, color);
                }
                break;
            default:
                break;
        }
    }

    // A point of a list is a line, not a paragraph.
    private static void WriteItem(StringBuilder html, ListItemBlock item, string color)
    {
        foreach (var child in item)
        {
            if (child is LeafBlock { Inline: { } inline })
            {
                Write(html, inline, color);
            }
            else
            {
                Write(html, child, color);
            }
        }
    }

    private static void Write(StringBuilder html, ContainerInline container, string color)
    {
        foreach (var inline in container)
        {
            switch (inline)
            {
                case FieldInline field:
                    html.Append(field.Tag);
                    break;
                case EmphasisInline emphasis:
                    Wrap(html, emphasis.DelimiterCount > 1 ? "strong" : "em", emphasis, color);
                    break;
                case LinkInline link:
                    var href = Encode(link.Url ?? "");
                    html.Append(CultureInfo.InvariantCulture, $"""<a class="link" href="{href}" style="color:{color}">""");
                    Write(html, link, color);
                    html.Append("</a>");
                    break;
                case AutolinkInline auto:
                    var address = auto.IsEmail ? "mailto:" + auto.Url : auto.Url;
                    html.Append(CultureInfo.InvariantCulture, $"""<a class="link" href="{Encode(address)}" style="color:{color}">""")
                        .Append(Encode(auto.Url)).Append("</a>");
                    break;
                case LineBreakInline:
                    html.Append("<br>");
                    break;
                case HtmlEntityInline entity:
                    html.Append(Encode(entity.Transcoded.ToString()));
                    break;
                case LiteralInline literal:
                    html.Append(Encode(literal.Content.ToString()));
                    break;
                case ContainerInline other:
                    Write(html, other, color);
                    break;
                default:
                    break;
            }
        }
    }

    private static void Wrap(StringBuilder html, string tag, ContainerInline inline, string color)
    {
        html.Append('<').Append(tag).Append('>');
        Write(html, inline, color);
        html.Append("</").Append(tag).Append('>');
    }

    [GeneratedRegex("""\{\{(?:[^{}"]|"[^"]*")*\}\}""")]
    private static partial Regex Field();
}
