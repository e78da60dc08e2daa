using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Campaigns;

/// <summary>
/// A design as a form of blocks, for browsers that run no script: its fields are named <c>D.NUMBER.FIELD</c>, in columns
/// <c>D.NUMBER.left.NUMBER.FIELD</c>, and its buttons say what is to be done with which block.
/// </summary>
internal static partial class DesignForm
{
    /// <summary>Whether a form is one of blocks.</summary>
    public static bool Has(IFormCollection form) =>
        form.Keys.Any(key => key.StartsWith("D.", StringComparison.Ordinal) || key == "Form.Design");

    /// <summary>The design that was filled in: as the editor's script wrote it down, or field by field.</summary>
    public static MessageDesign Read(IFormCollection form)
    {
        if (Texts.Blank(form["Form.Design"]) is { } written)
        {
            return MessageDesign.Of(written)!;
        }
        return new MessageDesign(Texts.Blank(form["D.color"]), Texts.Blank(form["D.preview"]), Blocks(form, "D"));
    }

    /// <summary>A design for the editor's script: its texts as HTML too, which it reads.</summary>
    public static string ForEditor(MessageDesign design)
    {
        var json = JsonNode.Parse(design.ToJson())!;
        Write(json["blocks"]?.AsArray());
        return json.ToJsonString();

        static void Write(JsonArray? blocks)
        {
            foreach (var block in (blocks ?? []).OfType<JsonObject>())
            {
                if ((string?)block["type"] == "text")
                {
                    // As it means, not as it looks: styles in elements are refused on our pages.
                    block["html"] = Looks().Replace(DesignText.Html((string?)block["text"], ""), "");
                }
                Write(block["left"]?.AsArray());
                Write(block["right"]?.AsArray());
            }
        }
    }

    /// <summary>The design after the act that a form was sent for; null: it was sent for none.</summary>
    public static MessageDesign? Do(MessageDesign design, IFormCollection form) => Act(form) is { } act
        ? Do(design, act, form[$"D.{act[(act.IndexOf(':', StringComparison.Ordinal) + 1)..]}.add"]) : null;

    /// <summary>
    /// The design with the pictures that were sent in its form. Refuses with what <paramref name="add"/> does, beside the picture's field.
    /// </summary>
    /// <param name="design">What was filled in.</param>
    /// <param name="form">Its files are named <c>D.PATH.file</c>.</param>
    /// <param name="add">Keeps a picture and gives its address.</param>
    public static async Task<MessageDesign> WithPictures(MessageDesign design, IFormCollection form, Func<IFormFile, Task<string>> add)
    {
        // A field in which none was chosen comes as a file without a name.
        foreach (var file in form.Files.Where(f => f.FileName.Length > 0 && PictureOf().IsMatch(f.Name)))
        {
            var path = PictureOf().Match(file.Name).Groups[1].Value;
            try
            {
                var src = await add(file);
                design = design with { Blocks = With(design.Blocks ?? [], path.Split('.'), src) };
            }
            catch (Refusal refusal) when (refusal.Fields.TryGetValue("file", out var error))
            {
                throw new Refusal(refusal.Reason) { Fields = new Dictionary<string, FieldError> { [$"blocks.{path}.file"] = error } };
            }
        }
        return design;
    }

    private static IReadOnlyList<MessageBlock> With(IReadOnlyList<MessageBlock> blocks, string[] path, string src) =>
    [
        .. blocks.Select((block, i) => i != Parse.Number(path[0]) ? block : block switch
        {
            ImageBlock image => image with { Src = src },
            ColumnsBlock columns when path is [_, "left", _] => columns with { Left = With(columns.Left ?? [], path[2..], src) },
            ColumnsBlock columns when path is [_, "right", _] => columns with { Right = With(columns.Right ?? [], path[2..], src) },
            _ => block,
        }),
    ];

    [GeneratedRegex(@"^D\.(\d+(?:\.(?:left|right)\.\d+)?)\.file$")]
    private static partial Regex PictureOf();

    /// <summary>What a form of blocks was sent for; null: to be saved.</summary>
    public static string? Act(IFormCollection form) => Texts.Blank(form["Do"]);

    /// <summary>The design after an act: <c>up</c>, <c>down</c>, <c>copy</c>, <c>remove</c> or <c>add</c>, then where.</summary>
    /// <param name="design">What was filled in.</param>
    /// <param name="act"><c>up:2</c>, <c>remove:3.left.0</c>, <c>add:2</c> (behind it), <c>add:3.right.-1</c> (first).</param>
    /// <param name="kind">Of what is added.</param>
    public static MessageDesign Do(MessageDesign design, string act, string? kind)
    {
        var blocks = (design.Blocks ?? []).ToList();
        var (what, path) = act.Split(':') is [var said, var where] ? (said, where.Split('.')) : ("", []);
        if (path is not ([_] or [_, "left" or "right", _]))
        {
            return design;
        }
        var at = Parse.Number(path[0]) ?? -1;
        if (path.Length == 1)
        {
            Do(blocks, what, at, kind);
        }
        else if (at >= 0 && at < blocks.Count && blocks[at] is ColumnsBlock columns)
        {
            var column = ((path[1] == "left" ? columns.Left : columns.Right) ?? []).ToList();
            Do(column, what, Parse.Number(path[2]) ?? -1, MessageBlock.InColumns.Contains(kind) ? kind : "text");
            blocks[at] = path[1] == "left" ? columns with { Left = column } : columns with { Right = column };
        }
        return design with { Blocks = blocks };
    }

    [GeneratedRegex(" (style|class)=\"[^\"]*\"")]
    private static partial Regex Looks();

    /// <summary>Which block to look at after an act.</summary>
    public static string Next(string act)
    {
        var path = act[(act.IndexOf(':', StringComparison.Ordinal) + 1)..].Split('.');
        var step = act.Split(':')[0] switch { "up" => -1, "down" or "add" or "copy" => 1, _ => 0 };
        path[^1] = Math.Max(0, (Parse.Number(path[^1]) ?? 0) + step).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return string.Join('.', path);
    }

    private static void Do(List<MessageBlock> blocks, string what, int at, string? kind)
    {
        if (what == "add" && MessageBlock.New(kind) is { } made)
        {
            blocks.Insert(Math.Clamp(at + 1, 0, blocks.Count), made);
        }
        if (at < 0 || at >= blocks.Count)
        {
            return;
        }
        switch (what)
        {
            case "up" when at > 0:
                (blocks[at - 1], blocks[at]) = (blocks[at], blocks[at - 1]);
                break;
            case "down" when at < blocks.Count - 1:
                (blocks[at + 1], blocks[at]) = (blocks[at], blocks[at + 1]);
                break;
            case "copy":
                blocks.Insert(at, blocks[at]);
                break;
            case "remove":
                blocks.RemoveAt(at);
                break;
            default:
                break;
        }
    }

    private static List<MessageBlock> Blocks(IFormCollection form, string prefix)
    {
        var blocks = new List<MessageBlock>();
        for (var i = 0; i < MessageDesign.MaxBlocks && form.TryGetValue($"{prefix}.{i}.type", out var kind); i++)
        {
            if (Block(form, $"{prefix}.{i}", kind) is { } block)
            {
                blocks.Add(block);
            }
        }
        return blocks;
    }

    private static MessageBlock? Block(IFormCollection form, string at, string? kind)
    {
        return kind switch
        {
            "title" => new TitleBlock(Field("text")),
            // Browsers send every line break of a text area as two characters.
            "text" => new TextBlock(Field("text")?.ReplaceLineEndings("\n")),
            "image" => new ImageBlock(Field("pick") ?? Field("src"), Field("alt"), Field("href"), Field("width")),
            "button" => new ButtonBlock(Field("text"), Field("href")),
            "columns" => new ColumnsBlock(Blocks(form, at + ".left"), Blocks(form, at + ".right")),
            "event" => new EventBlock(Field("title"), Field("on"), Field("from"), Field("to"), Field("place"), Field("text")),
            "separator" => new SeparatorBlock(),
            "footer" => new FooterBlock(Field("text")),
            _ => null,
        };

        string? Field(string name) => Texts.Blank(form[$"{at}.{name}"]);
    }
}
