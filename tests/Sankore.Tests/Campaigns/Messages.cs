using FsCheck;
using FsCheck.Fluent;
using Sankore.Campaigns;

namespace Sankore.Tests.Campaigns;

/// <summary>A piece of a message as its author means it, with what must come of it: written apart from how the program does it.</summary>
internal abstract record Piece
{
    /// <summary>As it is written in HTML.</summary>
    public abstract string Source { get; }

    /// <summary>As one recipient gets it in HTML.</summary>
    public abstract string Html(MergeValues of);

    /// <summary>As one recipient gets it in plain text, blanks aside.</summary>
    public abstract string Text(MergeValues of);
}

/// <summary>Words, and how HTML writes them.</summary>
internal sealed record Words(string Written, string Said) : Piece
{
    public override string Source => Written;
    public override string Html(MergeValues of) => Written;
    public override string Text(MergeValues of) => Said;
}

/// <summary>A field, with or without words instead.</summary>
internal sealed record Field(string Name, string? Instead, string Blank) : Piece
{
    public override string Source => Instead is null ? $$$"""{{{{{Blank}}}{{{Name}}}{{{Blank}}}}}"""
        : $$$"""{{default {{{Blank}}}{{{Name}}} "{{{Instead}}}"{{{Blank}}}}}""";
    public override string Html(MergeValues of) => Escape(Text(of));
    public override string Text(MergeValues of) => Messages.Value(of, Name) is { Length: > 0 } value ? value : Instead ?? "";

    private static string Escape(string text) => string.Concat(text.Select(c => c switch
    {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&#x27;",
        '`' => "&#x60;",
        '=' => "&#x3D;",
        _ => c.ToString(),
    }));
}

/// <summary>Something for those of whom a field is known, or is not; something else for the others.</summary>
internal sealed record Choice(bool IfKnown, string Name, Piece Then, Piece? Otherwise) : Piece
{
    private string Kind => IfKnown ? "if" : "unless";
    public override string Source =>
        $$$"""{{#{{{Kind}}} {{{Name}}}}}{{{Then.Source}}}{{{(Otherwise is null ? "" : "{{else}}" + Otherwise.Source)}}}{{/{{{Kind}}}}}""";
    public override string Html(MergeValues of) => Chosen(of)?.Html(of) ?? "";
    public override string Text(MergeValues of) => Chosen(of)?.Text(of) ?? "";
    private Piece? Chosen(MergeValues of) => !string.IsNullOrEmpty(Messages.Value(of, Name)) == IfKnown ? Then : Otherwise;
}

/// <summary>Pieces in an element.</summary>
internal sealed record Element(string Start, string End, Piece[] Within) : Piece
{
    public override string Source => Start + string.Concat(Within.Select(p => p.Source)) + End;
    public override string Html(MergeValues of) => Start + string.Concat(Within.Select(p => p.Html(of))) + End;
    public override string Text(MergeValues of) => string.Concat(Within.Select(p => p.Text(of)));
}

/// <summary>Generated messages and recipients.</summary>
internal static class Messages
{
    private static readonly Gen<string> Name = Gen.Elements<string>([.. MergeText.Fields, "field.classe", "field.autre"]);

    private static readonly Gen<Piece> AnyWords = Gen.Elements<(string, string)>(
        ("école ", "école "), ("l’an", "l’an"), ("&lt;b&gt;", "<b>"), ("caf&eacute;", "café"), ("{ x }", "{ x }"), ("1 &amp; 2", "1 & 2"),
        ("é😀", "é😀"), ("50 %", "50 %"), ("<!-- rien -->", ""))
        .Select(w => (Piece)new Words(w.Item1, w.Item2));

    private static readonly Gen<Piece> AnyField =
        from name in Name
        from instead in Gen.Elements<string?>(null, null, "Madame, Monsieur", "M. & Mme", "l’équipe", "")
        from blank in Gen.Elements("", " ", "  ")
        select (Piece)new Field(name, instead, blank);

    /// <summary>What a message says: blocks, tables, and lines of words and fields, each of them for all or for some.</summary>
    public static Gen<Piece> Any { get; } = Gen.Sized(size => Blocks(Math.Min(size / 12, 3)));

    /// <summary>Somebody of whom more or less is known.</summary>
    public static Gen<MergeValues> Recipient { get; } =
        from texts in Gen.Elements<string?>(
            null, "", "Amina", "A & B <b>\"q\" 'r' `s`=</b>", "{{contact.email}}", "N’Kounkou é😀", "<script>alert(1)</script>").ListOf(5)
        select new MergeValues(
            "amina@exemple.cg", texts[0], texts[1], "Rentrée <2027>", texts[2], "https://exemple.cg/u?c=1&m=2", texts[3],
            texts[4] is null ? null : new Dictionary<string, string> { ["classe"] = texts[4]! });

    public static string? Value(MergeValues of, string name) => name switch
    {
        "contact.email" => of.Email,
        "contact.name" => of.Name,
        "contact.phone" => of.Phone,
        "field.classe" => of.Fields?.GetValueOrDefault("classe"),
        "field.autre" => null,
        "organization.name" => of.Organization,
        "campaign.name" => of.Campaign,
        "sender.name" => of.Sender,
        "unsubscribe_url" => of.UnsubscribeUrl,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
    };

    private static Gen<Piece> Line(int depth) => depth == 0 ? Gen.OneOf(AnyWords, AnyField)
        : Gen.OneOf(AnyWords, AnyField, Chosen(Line(depth - 1)), In("<b class=\"x\">", "</b>", Line(depth - 1)));

    private static Gen<Piece> Rows(int depth) =>
        depth == 0 ? In("<tr><td>", "</td></tr>", Line(1)) : Gen.OneOf(In("<tr><td>", "</td></tr>", Line(1)), Chosen(Rows(depth - 1)));

    private static Gen<Piece> Blocks(int depth) => depth == 0
        ? In("<p>", "</p>", Line(2))
        : Gen.OneOf(
            In("<p style='color:#123'>", "</p>", Line(2)), In("<div>", "</div>", Blocks(depth - 1)), Chosen(Blocks(depth - 1)),
            In("<table width=600>", "</table>", Rows(2)));

    private static Gen<Piece> Chosen(Gen<Piece> of) =>
        from ifKnown in Gen.Elements(true, false)
        from name in Name
        from then in of
        from otherwise in Gen.OneOf(of, Gen.Constant<Piece>(null!))
        select (Piece)new Choice(ifKnown, name, then, otherwise);

    private static Gen<Piece> In(string start, string end, Gen<Piece> of) =>
        from count in Gen.Choose(0, 3)
        from within in of.ListOf(count)
        select (Piece)new Element(start, end, [.. within]);
}
