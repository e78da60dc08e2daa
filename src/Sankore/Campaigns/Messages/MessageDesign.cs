using System.Text.Json;
using System.Text.Json.Serialization;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Campaigns;

/// <summary>
/// A message as its author puts it together: blocks, from the top. It is kept beside the HTML that it becomes (<see cref="DesignMail"/>).
/// </summary>
/// <param name="Color">One of <see cref="Colors"/>; null: the first.</param>
/// <param name="Preview">What mail programs show beside the subject: one line, with merge fields; null: nothing.</param>
public sealed record MessageDesign(string? Color, string? Preview, IReadOnlyList<MessageBlock>? Blocks)
{
    /// <summary>The most blocks, those in columns among them.</summary>
    public const int MaxBlocks = 60;

    /// <summary>The longest text of a block, in characters.</summary>
    public const int MaxText = 20_000;

    /// <summary>The longest design, in characters of JSON.</summary>
    public const int MaxJson = 300_000;

    /// <summary>The longest line: a title, the text of a button, a place.</summary>
    public const int MaxLine = 200;

    /// <summary>The longest address.</summary>
    public const int MaxAddress = 2_000;

    /// <summary>The colours by their names: of the head, buttons and links; then the same on a dark ground.</summary>
    public static readonly IReadOnlyDictionary<string, (string Light, string Dark)> Colors =
        new Dictionary<string, (string Light, string Dark)>
        {
            ["green"] = ("#14624b", "#55bd98"),
            ["orange"] = ("#a94c1a", "#f0a170"),
            ["blue"] = ("#1f5fa8", "#7fb3ec"),
            ["purple"] = ("#7a3d8f", "#cf9fe0"),
            ["red"] = ("#ab2338", "#f28b98"),
            ["teal"] = ("#0b6577", "#5fbfd3"),
            ["gold"] = ("#785800", "#dcb84f"),
            ["slate"] = ("#4d5968", "#aab8c8"),
        };

    // In the database the name of a block's kind need not come first.
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowOutOfOrderMetadataProperties = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>A message that says nothing yet.</summary>
    public static MessageDesign Empty { get; } = new(null, null, [new TitleBlock(null), new TextBlock(null), new FooterBlock(null)]);

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    internal static MessageDesign? Of(string? json) => json is null ? null : JsonSerializer.Deserialize<MessageDesign>(json, Json);

    /// <summary>
    /// The same without what the editor was shown and nobody has filled in. Refuses with VALIDATION_FAILED, beside
    /// <c>blocks.NUMBER.FIELD</c> (in columns <c>blocks.NUMBER.left.NUMBER.FIELD</c>).
    /// </summary>
    internal MessageDesign Normalized()
    {
        var blocks = Blocks ?? [];
        var all = blocks.Concat(blocks.OfType<ColumnsBlock>().SelectMany(c => (c.Left ?? []).Concat(c.Right ?? []))).ToList();
        var validation = new Validation().That("color", Color is null || Colors.ContainsKey(Color))
            .That("blocks", all.Count <= MaxBlocks, "design.many")
            .That("blocks", all.TrueForAll(b => b is not null)).Optional("preview", Preview, MaxLine)
            .Unless("preview", Preview is null ? null : DesignText.MistakeOf(Preview));
        validation.Check();
        foreach (var (i, block) in blocks.Index())
        {
            block.Check(validation, $"blocks.{i}");
        }
        validation.That("blocks", ToJson().Length <= MaxJson, "html.large").Check();
        return this with { Color = Color ?? "green", Preview = Texts.Blank(Preview), Blocks = blocks };
    }
}

/// <summary>A part of a message. Its kind is the JSON member <c>type</c>; what does not say its kind is none, and refused.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(TitleBlock), "title")]
[JsonDerivedType(typeof(TextBlock), "text")]
[JsonDerivedType(typeof(ImageBlock), "image")]
[JsonDerivedType(typeof(ButtonBlock), "button")]
[JsonDerivedType(typeof(ColumnsBlock), "columns")]
[JsonDerivedType(typeof(EventBlock), "event")]
[JsonDerivedType(typeof(SeparatorBlock), "separator")]
[JsonDerivedType(typeof(FooterBlock), "footer")]
public record MessageBlock
{
    /// <summary>The kinds of blocks, in the order in which they are offered.</summary>
    public static readonly string[] Kinds = ["title", "text", "image", "button", "columns", "event", "separator", "footer"];

    /// <summary>The kinds of blocks that may stand in a column.</summary>
    public static readonly string[] InColumns = ["title", "text", "image", "button"];

    /// <summary>A new one of a kind, with nothing in it.</summary>
    internal static MessageBlock? New(string? kind) => kind switch
    {
        "title" => new TitleBlock(null),
        "text" => new TextBlock(null),
        "image" => new ImageBlock(null, null, null, null),
        "button" => new ButtonBlock(null, null),
        "columns" => new ColumnsBlock([new TextBlock(null)], [new TextBlock(null)]),
        "event" => new EventBlock(null, null, null, null, null, null),
        "separator" => new SeparatorBlock(),
        "footer" => new FooterBlock(null),
        _ => null,
    };

    /// <summary>The kind's name.</summary>
    [JsonIgnore]
    public string Kind => this switch
    {
        TitleBlock => "title",
        TextBlock => "text",
        ImageBlock => "image",
        ButtonBlock => "button",
        ColumnsBlock => "columns",
        EventBlock => "event",
        SeparatorBlock => "separator",
        FooterBlock => "footer",
        _ => "",
    };

    /// <summary>Collects what is wrong with it.</summary>
    internal virtual void Check(Validation validation, string at) => validation.That(at + ".type", false, "field.required");

    private protected static void Line(Validation validation, string field, string? text) => validation
        .Optional(field, text, MessageDesign.MaxLine).That(field, text?.AsSpan().ContainsAny('\r', '\n') != true, "template.one_line")
        .Unless(field, text is null ? null : DesignText.MistakeOf(text));

    private protected static void Address(Validation validation, string field, string? address) => validation
        .Optional(field, address, MessageDesign.MaxAddress)
        .Unless(field, string.IsNullOrWhiteSpace(address) ? null : DesignText.MistakeOfAddress(address.Trim()));
}

/// <summary>A heading. The first block of a message is its head, on the message's colour.</summary>
/// <param name="Text">One line, with merge fields.</param>
public sealed record TitleBlock(string? Text) : MessageBlock
{
    internal override void Check(Validation validation, string at) => Line(validation, at + ".text", Text);
}

/// <summary>Paragraphs and lists.</summary>
/// <param name="Text">Markdown (CommonMark without HTML, code, quotes and images): bold, italic, links, lists, and merge fields.</param>
public sealed record TextBlock(string? Text) : MessageBlock
{
    internal override void Check(Validation validation, string at) => validation.Optional(at + ".text", Text, MessageDesign.MaxText)
        .Unless(at + ".text", Text is null ? null : DesignText.MistakeOf(Text) ?? DesignText.MistakeOfLinks(Text));
}

/// <summary>A picture.</summary>
/// <param name="Src">Of the library (<c>/i/…</c>), or an address of the web.</param>
/// <param name="Alt">What it shows, for who does not see it.</param>
/// <param name="Href">Where it leads; null: nowhere.</param>
/// <param name="Width"><c>full</c> (the default) or <c>half</c>.</param>
public sealed record ImageBlock(string? Src, string? Alt, string? Href, string? Width) : MessageBlock
{
    public static readonly string[] Widths = ["full", "half"];

    internal override void Check(Validation validation, string at)
    {
        if (Src is null || !PictureAddresses.Is(Src))
        {
            Address(validation, at + ".src", Src);
        }
        validation.Optional(at + ".alt", Alt, MessageDesign.MaxLine).That(at + ".width", Width is null || Widths.Contains(Width));
        Address(validation, at + ".href", Href);
    }
}

/// <summary>A button.</summary>
/// <param name="Text">One line.</param>
/// <param name="Href">Where it leads: http(s), mailto or tel.</param>
public sealed record ButtonBlock(string? Text, string? Href) : MessageBlock
{
    internal override void Check(Validation validation, string at)
    {
        Line(validation, at + ".text", Text);
        Address(validation, at + ".href", Href);
    }
}

/// <summary>Two columns, on a phone one below the other.</summary>
/// <param name="Left">Titles, texts, pictures and buttons.</param>
/// <param name="Right">The same.</param>
public sealed record ColumnsBlock(IReadOnlyList<MessageBlock>? Left, IReadOnlyList<MessageBlock>? Right) : MessageBlock
{
    internal override void Check(Validation validation, string at)
    {
        foreach (var (name, column) in new[] { ("left", Left), ("right", Right) })
        {
            foreach (var (i, block) in (column ?? []).Index())
            {
                validation.That($"{at}.{name}.{i}", InColumns.Contains(block.Kind), "design.column");
                block.Check(validation, $"{at}.{name}.{i}");
            }
        }
    }
}

/// <summary>When and where something happens.</summary>
/// <param name="Title">What it is called.</param>
/// <param name="On">The day, <c>yyyy-mm-dd</c>.</param>
/// <param name="From">From what time, <c>hh:mm</c>.</param>
/// <param name="To">Until what time.</param>
/// <param name="Place">Where.</param>
/// <param name="Text">What else there is to know: a line.</param>
public sealed record EventBlock(string? Title, string? On, string? From, string? To, string? Place, string? Text) : MessageBlock
{
    internal override void Check(Validation validation, string at)
    {
        Line(validation, at + ".title", Title);
        Line(validation, at + ".place", Place);
        Line(validation, at + ".text", Text);
        validation.That(at + ".on", string.IsNullOrEmpty(On) || Day is not null, "design.day")
            .That(at + ".from", string.IsNullOrEmpty(From) || Days.Time(From) is not null, "design.time")
            .That(at + ".to", string.IsNullOrEmpty(To) || Days.Time(To) is not null, "design.time");
    }

    internal DateOnly? Day => Days.Calendar(On);
}

/// <summary>A line across.</summary>
public sealed record SeparatorBlock : MessageBlock
{
    internal override void Check(Validation validation, string at)
    {
    }
}

/// <summary>Who writes: the logo, the name and the address of the school or the group, and what the author adds.</summary>
/// <param name="Text">A line.</param>
public sealed record FooterBlock(string? Text) : MessageBlock
{
    internal override void Check(Validation validation, string at) => Line(validation, at + ".text", Text);
}
