using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;

namespace Sankore.Campaigns;

/// <summary>Who writes, for the head and the foot of a message.</summary>
/// <param name="Name">The school or the group; null: nobody's place is known.</param>
/// <param name="Within">What it belongs to.</param>
/// <param name="Address">Where it is, in a line.</param>
/// <param name="Logo">The address of its logo.</param>
public sealed record SenderPlace(string? Name, string? Within, string? Address, string? Logo)
{
    public static SenderPlace Unknown { get; } = new(null, null, null, null);
}

/// <summary>
/// A design as an e-mail: tables that old mail programs understand, 600 pixels wide and as narrow as a phone without a rule that needs to
/// be understood, and dark where the reader's program is. Merge fields stay, to be filled in for each recipient.
/// </summary>
public static partial class DesignMail
{
    private const string Letters = "font-family:Arial,Helvetica,sans-serif";
    private const string Font = Letters + ";font-size:16px;line-height:25px";
    private const string ButtonStyle = "display:inline-block;padding:14px 28px;font-weight:bold;color:#ffffff;text-decoration:none";
    private const string LabelStyle = "padding:2px 8px 2px 18px;font-size:14px;line-height:22px;color:#6b6255";
    private const string TitleStyle = "padding:0 18px 6px;font-size:18px;line-height:25px;font-weight:bold";
    private const int FullWidth = 520, ColumnWidth = 252;
    private const string LogoStyle = "display:block;width:auto;height:auto;max-width:240px;max-height:48px;margin:0 0 16px;border:0";
    private const string FootLogoStyle = "width:auto;height:auto;max-width:160px;max-height:32px;margin:0 0 8px;border:0";
    private const string Table = """role="presentation" cellpadding="0" cellspacing="0" border="0" """;

    /// <summary>What the caller's design becomes; nothing where nobody has filled in a block.</summary>
    internal static async Task<string> Of(Session session, MessageDesign design, string? subject, IStringLocalizer<Strings> words) =>
        (design.Blocks ?? []).Any(block => block is not (SeparatorBlock or FooterBlock) && HasContent(block))
            ? Html(design, subject, await SenderPlaces.Own(session), words) : "";

    /// <summary>The document, in the current language as far as words are added.</summary>
    /// <param name="design">What is said.</param>
    /// <param name="subject">Its subject, for the document's title.</param>
    /// <param name="place">Who says it.</param>
    /// <param name="words">The words that are added.</param>
    public static string Html(MessageDesign design, string? subject, SenderPlace place, IStringLocalizer<Strings> words)
    {
        var blocks = (design.Blocks ?? []).Where(HasContent).ToList();
        var (color, dark) = MessageDesign.Colors[design.Color ?? "green"];
        var rows = new StringBuilder();
        var body = blocks;
        if (blocks is [TitleBlock head, ..])
        {
            rows.Append(Head(head, color, place));
            body = blocks[1..];
        }
        var foot = body.OfType<FooterBlock>().ToList();
        rows.Append(Gap(28));
        foreach (var block in body.Where(b => b is not FooterBlock))
        {
            rows.Append(Row(block, color, words));
        }
        rows.Append(Gap(20));
        return $"""
            <!DOCTYPE html>
            <html lang="{CultureInfo.CurrentUICulture.TwoLetterISOLanguageName}">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width,initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="supported-color-schemes" content="light dark">
            <title>{DesignText.Line(subject)}</title>
            <style>{Style.Replace("$LINK", dark, StringComparison.Ordinal)}</style>
            </head>
            <body class="ground" style="margin:0;padding:0;background:#f3eee5">
            {Hidden(design.Preview)}<table {Table}width="100%" class="ground" style="background:#f3eee5"><tr>
            <td align="center" style="padding:20px 10px">
            <table {Table}width="600" class="card" style="width:100%;max-width:600px;background:#ffffff;border-radius:12px;overflow:hidden">
            {rows}</table>
            {Foot(foot, place, words)}
            </td></tr></table>
            </body>
            </html>
            """;
    }

    /// <summary>
    /// What was left over of a starting message, to be written by its author: « [[samedi 14 mars]] », in order and once each. What was
    /// written as HTML has none.
    /// </summary>
    public static IReadOnlyList<string> Placeholders(string subject, MessageDesign? design) => design is null ? []
        : [.. Placeholder().Matches(subject + " " + design.ToJson()).Select(m => m.Groups[1].Value).Distinct()];

    /// <summary>The HTML with what is left over marked, for its author.</summary>
    internal static string Marked(string html) => string.Concat(HtmlParts.Of(html).Select(part => part.Kind == HtmlPartKind.Text
        ? Placeholder().Replace(html[part.Start..part.End], """<mark style="background:#ffe08a;color:#1f1a14">$1</mark>""")
        : html[part.Start..part.End]));

    private const string Style = """

        @media (max-width:480px){.pad{padding-left:20px!important;padding-right:20px!important}
        .h1{font-size:25px!important;line-height:31px!important}.btn{width:100%!important}.btn a{display:block!important}}
        @media (prefers-color-scheme:dark){.ground{background:#14110d!important}
        .card{background:#1e1a15!important}.soft{background:#28221b!important}
        .ink,.ink p,.ink li,.ink td,.ink h2{color:#f3ede4!important}.muted,.muted a{color:#b3a896!important}a.link{color:$LINK!important}}

        """;

    private static bool HasContent(MessageBlock block) => block switch
    {
        TitleBlock title => Is(title.Text),
        TextBlock text => Is(text.Text),
        ImageBlock image => Is(image.Src),
        ButtonBlock button => Is(button.Text) && Is(button.Href),
        ColumnsBlock columns => (columns.Left ?? []).Concat(columns.Right ?? []).Any(HasContent),
        EventBlock happening => Is(happening.Title) || Is(happening.On) || Is(happening.Place) || Is(happening.Text),
        _ => true,
    };

    private static bool Is(string? text) => !string.IsNullOrWhiteSpace(text);

    private static string Head(TitleBlock head, string color, SenderPlace place)
    {
        const string Small = "margin:0 0 10px;font-size:13px;line-height:18px;letter-spacing:1px;text-transform:uppercase;color:#ffffff";
        const string Large = "margin:0;font-size:31px;line-height:38px;font-weight:bold;color:#ffffff";
        var name = DesignText.Encode(place.Name ?? "");
        var logo = place.Logo is { } src
            ? $"""<img src="{DesignText.Encode(src)}" height="48" alt="{name}" style="{LogoStyle}">"""
            : name.Length > 0 ? $"""<p style="{Small}">{name}</p>""" : "";
        return $"""
            <tr><td class="pad" bgcolor="{color}" style="padding:32px 40px;background:{color};color:#ffffff;{Letters}">{logo}
            <h1 class="h1" style="{Large}">{DesignText.Line(head.Text)}</h1></td></tr>

            """;
    }

    private static string Gap(int height) =>
        $"""<tr><td height="{height}" style="height:{height}px;line-height:{height}px;font-size:0">&nbsp;</td></tr>""" + "\n";

    private static string Row(MessageBlock block, string color, IStringLocalizer<Strings> words) => block is ColumnsBlock columns
        ? $"""
            <tr><td class="pad ink" align="center" style="padding:0 32px;font-size:0">
            <!--[if mso]><table {Table}width="100%"><tr><td width="50%" valign="top"><![endif]-->
            {Column(columns.Left, color, words)}
            <!--[if mso]></td><td width="50%" valign="top"><![endif]-->
            {Column(columns.Right, color, words)}
            <!--[if mso]></td></tr></table><![endif]-->
            </td></tr>

            """
        : $"""<tr><td class="pad ink" style="padding:0 40px;{Font};color:#1f1a14">{Inner(block, color, words, FullWidth)}</td></tr>"""
            + "\n";

    private static string Column(IReadOnlyList<MessageBlock>? blocks, string color, IStringLocalizer<Strings> words) =>
        $"""<div style="display:inline-block;width:100%;max-width:268px;vertical-align:top;text-align:left;{Font};color:#1f1a14">"""
        + $"""<div style="padding:0 8px">{string.Concat(Inners(blocks, color, words))}</div></div>""";

    private static IEnumerable<string> Inners(IReadOnlyList<MessageBlock>? blocks, string color, IStringLocalizer<Strings> words) =>
        (blocks ?? []).Where(HasContent).Select(b => Inner(b, color, words, ColumnWidth));

    private static string Inner(MessageBlock block, string color, IStringLocalizer<Strings> words, int width) => block switch
    {
        TitleBlock title =>
            $"""<h2 style="margin:8px 0 12px;font-size:20px;line-height:27px;font-weight:bold">{DesignText.Line(title.Text)}</h2>""",
        TextBlock text => DesignText.Html(text.Text, color),
        ImageBlock image => Picture(image, width),
        ButtonBlock button => $"""
            <table {Table}class="btn" style="margin:8px 0 24px"><tr><td align="center" bgcolor="{color}" style="border-radius:8px">
            <a href="{Href(button.Href)}" style="{ButtonStyle}">{DesignText.Line(button.Text)}</a></td></tr></table>
            """,
        EventBlock happening => Event(happening, words),
        SeparatorBlock => """<hr style="margin:8px 0 24px;border:0;border-top:1px solid #d9cfbf">""",
        _ => "",
    };

    private static string Picture(ImageBlock image, int width)
    {
        var pixels = image.Width == "half" ? width / 2 : width;
        var picture = $"""<img src="{Href(image.Src)}" width="{pixels}" alt="{DesignText.Encode(image.Alt ?? "")}" """
            + $"""style="display:block;width:100%;max-width:{pixels}px;height:auto;border:0;border-radius:8px">""";
        return $"""<div style="margin:0 0 16px">{(Is(image.Href) ? $"""<a href="{Href(image.Href)}">{picture}</a>""" : picture)}</div>""";
    }

    private static string Event(EventBlock happening, IStringLocalizer<Strings> words)
    {
        (string Label, string? Value)[] lines =
            [(words["event.when"], When(happening, words)), (words["event.where"], Line(happening.Place)), ("", Line(happening.Text))];
        var rows = string.Concat(lines.Where(l => Is(l.Value)).Select(l =>
            $"""<tr><td class="muted" width="70" valign="top" style="{LabelStyle}">{l.Label}</td>"""
            + $"""<td valign="top" style="padding:2px 18px 2px 0;line-height:22px;font-weight:bold">{l.Value}</td></tr>"""));
        var title = Is(happening.Title)
            ? $"""<tr><td colspan="2" style="{TitleStyle}">{Line(happening.Title)}</td></tr>""" : "";
        return $"""<table {Table}width="100%" class="soft" style="margin:8px 0 24px;border-radius:8px;background:#f5f0e8">"""
            + $"""<tr><td colspan="2" height="14" style="font-size:0;line-height:14px">&nbsp;</td></tr>{title}{rows}"""
            + """<tr><td colspan="2" height="14" style="font-size:0;line-height:14px">&nbsp;</td></tr></table>""";

        static string Line(string? text) => DesignText.Line(text);
    }

    /// <summary>« samedi 13 mars 2027, de 9:00 à 13:00 ».</summary>
    private static string? When(EventBlock happening, IStringLocalizer<Strings> words)
    {
        var day = happening.Day?.ToString(words["event.day_format"], CultureInfo.GetCultureInfo(Platform.Text.Texts.Language));
        var (from, to) = (Hour(happening.From), Hour(happening.To));
        var hours = (from, to) switch
        {
            (not null, not null) => words["event.from_to", from, to].Value,
            (not null, null) => words["event.at", from].Value,
            (null, not null) => words["event.until", to].Value,
            _ => null,
        };
        return DesignText.Encode(string.Join(", ", new[] { day, hours }.OfType<string>()));

        string? Hour(string? text) => Platform.Text.Days.Time(text)?.ToString(words["event.time_format"], CultureInfo.InvariantCulture);
    }

    private static string Foot(List<FooterBlock> foot, SenderPlace place, IStringLocalizer<Strings> words)
    {
        string?[] lines = [FootLogo(place), Bold(place.Name), Encoded(place.Within), Encoded(place.Address)];
        var said = foot.Count == 0 ? ""
            : string.Concat(lines.Where(Is).Select(l => l + "<br>"))
            + string.Concat(foot.Where(f => Is(f.Text)).Select(f => DesignText.Line(f.Text) + "<br>"));
        return $$$"""
            <table {{{Table}}}width="600" style="width:100%;max-width:600px"><tr><td align="center" class="muted"
            style="padding:20px 24px;font-family:Arial,Helvetica,sans-serif;font-size:13px;line-height:20px;color:#6b6255">{{{said}}}
            {{{DesignText.Encode(words["unsubscribe.why"])}}}
            <a href="{{unsubscribe_url}}" style="color:#6b6255">{{{DesignText.Encode(words["unsubscribe.act"])}}}</a></td></tr></table>
            """;

        // The name stands below it.
        static string? FootLogo(SenderPlace place) => place.Logo is null ? null
            : $"""<img src="{DesignText.Encode(place.Logo)}" height="32" alt="" style="{FootLogoStyle}">""";
        static string? Bold(string? text) => text is null ? null : $"<b>{DesignText.Encode(text)}</b>";
        static string? Encoded(string? text) => text is null ? null : DesignText.Encode(text);
    }

    private static string Hidden(string? preview) =>
        Is(preview) ? $"""<div style="display:none;max-height:0;overflow:hidden">{DesignText.Line(preview)}</div>""" + "\n" : "";

    private static string Href(string? address) => DesignText.Line(address?.Trim());

    [GeneratedRegex(@"\[\[([^\[\]]{1,200})\]\]")]
    private static partial Regex Placeholder();
}
