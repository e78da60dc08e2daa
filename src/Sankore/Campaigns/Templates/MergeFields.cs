using System.Text.RegularExpressions;
using HandlebarsDotNet;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>What a message says of its recipient and its sender: the values of the merge fields. Null where nothing is known.</summary>
/// <param name="UnsubscribeUrl">The recipient's own link, of this message.</param>
/// <param name="Phone">The recipient's telephone number.</param>
/// <param name="Fields">What the sender's own fields say of the recipient, in words, by key.</param>
public sealed record MergeValues(
    string Email, string? Name, string? Organization, string Campaign, string? Sender, string UnsubscribeUrl, string? Phone = null,
    IReadOnlyDictionary<string, string>? Fields = null)
{
    internal Dictionary<string, object?> ToContext() => new()
    {
        ["contact"] = new Dictionary<string, object?> { ["email"] = Email, ["name"] = Name, ["phone"] = Phone },
        ["field"] = Fields?.ToDictionary(f => f.Key, f => (object?)f.Value) ?? [],
        ["organization"] = new Dictionary<string, object?> { ["name"] = Organization },
        ["campaign"] = new Dictionary<string, object?> { ["name"] = Campaign },
        ["sender"] = new Dictionary<string, object?> { ["name"] = Sender },
        ["unsubscribe_url"] = UnsubscribeUrl,
    };
}

/// <summary>
/// Texts with merge fields in Handlebars' notation: <c>{{contact.name}}</c>, with a fallback <c>{{default contact.name "Madame,
/// Monsieur"}}</c>, and parts that depend on a field: <c>{{#if organization.name}}…{{else}}…{{/if}}</c>, <c>{{#unless …}}…{{/unless}}</c>.
/// In the address of a link a field's value is percent-encoded by itself, but where it is the whole address.
/// Nothing else of Handlebars is allowed, so that a text that could be saved can be sent.
/// </summary>
public sealed partial class MergeText
{
    /// <summary>
    /// Every field that all contacts have; besides, <c>field.KEY</c> is one of the sender's own (<see cref="OwnFields"/>).
    /// </summary>
    public static readonly string[] Fields =
        ["contact.email", "contact.name", "contact.phone", "organization.name", "campaign.name", "sender.name", "unsubscribe_url"];

    private static readonly IHandlebars Html = Engine(noEscape: false), Plain = Engine(noEscape: true);

    private readonly HandlebarsTemplate<object, object> _fill;

    private MergeText(HandlebarsTemplate<object, object> fill) => _fill = fill;

    /// <summary>A text whose fields are filled in as HTML: what they hold is text, never markup.</summary>
    public static MergeText OfHtml(string text) => new(Html.Compile(text));

    /// <summary>A text whose fields are filled in as they are.</summary>
    public static MergeText OfPlain(string text) => new(Plain.Compile(text));

    /// <summary>The text for one recipient.</summary>
    public string Fill(MergeValues values) => Fill(values.ToContext());

    /// <summary>The text for one recipient, whose values are made ready for several texts.</summary>
    internal string Fill(Dictionary<string, object?> context) => _fill(context);

    /// <summary>
    /// What is wrong with the fields of HTML; null: nothing. The closing braces of a style sheet's rules are none of theirs.
    /// </summary>
    public static FieldError? MistakeOfHtml(string html) =>
        MistakeOfPrepared(Prepared(html));

    private static FieldError? MistakeOfPrepared(string html) =>
        // A brace that touches a field's own would be taken for one of them, in a style sheet too.
        Tag().Matches(html).FirstOrDefault(tag => IsTouched(html, tag)) is { } touched ? new FieldError("merge.unknown", touched.Value)
            : Mistake(string.Concat(HtmlParts.Of(html).Select(part => part is { Kind: HtmlPartKind.Raw, Name: "style" }
                ? Rules().Replace(html[part.Start..part.End], "$1")
                : html[part.Start..part.End])));

    /// <summary>
    /// HTML made ready to be compiled: without the comments of its style sheets, in which braces mean nothing, and with the fields in its
    /// links' addresses percent-encoded.
    /// </summary>
    internal static string Prepared(string html) => string.Concat(HtmlParts.Of(html).Select(part =>
    {
        var text = html[part.Start..part.End];
        return part switch
        {
            { Kind: HtmlPartKind.Raw, Name: "style" } => StyleComment().Replace(text, ""),
            { Kind: HtmlPartKind.Tag, Name: "a" or "area" } => Address().Replace(text, address =>
                address.Groups[1].Value + Value().Replace(address.Groups[2].Value, "{{url $1}}")),
            _ => text,
        };
    }));

    private static bool IsTouched(string html, Match tag) =>
        tag.Value.EndsWith("}}}", StringComparison.Ordinal) || html.AsSpan(tag.Index + tag.Length).StartsWith('}');

    /// <summary>What is wrong with a text's fields, for the message beside it; null: nothing.</summary>
    public static FieldError? Mistake(string text)
    {
        var open = new Stack<string>();
        var end = 0;
        foreach (Match tag in Tag().Matches(text))
        {
            if (IsStray(text[end..tag.Index]))
            {
                return new FieldError("merge.open");
            }
            if (tag.Index > 0 && text[tag.Index - 1] == '\\')
            {
                // Handlebars would show the tag itself.
                return new FieldError("merge.escaped", "\\" + tag.Value);
            }
            end = tag.Index + tag.Length;
            if (MistakeOf(tag, open) is { } mistake)
            {
                return mistake;
            }
        }
        return IsStray(text[end..]) ? new FieldError("merge.open")
            : open.Count > 0 ? new FieldError("merge.block", "{{#" + open.Peek().TrimEnd('+') + "}}")
            : null;
    }

    /// <summary>
    /// What is wrong with one tag. The blocks that are open, with a plus after their else, become those that are open after it.
    /// </summary>
    private static FieldError? MistakeOf(Match tag, Stack<string> open)
    {
        var inner = tag.Groups[1].Value.Trim();
        return inner switch
        {
            _ when tag.Value.StartsWith("{{{", StringComparison.Ordinal) || tag.Value.EndsWith("}}}", StringComparison.Ordinal) =>
                new FieldError("merge.unknown", tag.Value),
            _ when Block().Match(inner) is { Success: true } block => Opened(block.Groups[1].Value, block.Groups[2].Value),
            ['/', .. var kind] =>
                open.TryPop(out var last) && last.TrimEnd('+') == kind ? null : new FieldError("merge.block", tag.Value),
            "else" => open.TryPop(out var last) && !last.EndsWith('+') ? Reopened(last + "+") : new FieldError("merge.block", tag.Value),
            _ when Fallback().Match(inner) is { Success: true } fallback => Known(fallback.Groups[1].Value),
            _ when Encoded().Match(inner) is { Success: true } encoded => Known(encoded.Groups[1].Value),
            _ => Known(inner),
        };

        FieldError? Opened(string kind, string field)
        {
            open.Push(kind);
            return Known(field);
        }

        FieldError? Reopened(string kind)
        {
            open.Push(kind);
            return null;
        }

        static FieldError? Known(string field) =>
            Fields.Contains(field) || Own().IsMatch(field) ? null : new FieldError("merge.unknown", field);
    }

    /// <summary>The keys of the sender's own fields that texts name.</summary>
    public static IReadOnlySet<string> OwnFields(params IEnumerable<string> texts) => texts.SelectMany(t => Tag().Matches(t))
        .SelectMany(tag => tag.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(word => Own().IsMatch(word))
        .Select(word => word["field.".Length..]).ToHashSet();

    private static bool IsStray(string between) =>
        between.Contains("{{", StringComparison.Ordinal) || between.Contains("}}", StringComparison.Ordinal);

    private static IHandlebars Engine(bool noEscape)
    {
        var engine = Handlebars.Create(new HandlebarsConfiguration { NoEscape = noEscape });
        engine.RegisterHelper(
            "default", (output, _, arguments) => output.Write(arguments[0] is string { Length: > 0 } value ? value : arguments[1]));
        // With a fallback, as default has it.
        engine.RegisterHelper("url", (output, _, arguments) => output.WriteSafeString(Uri.EscapeDataString(
            arguments[0] is string { Length: > 0 } value ? value : arguments.Length > 1 ? $"{arguments[1]}" : "")));
        return engine;
    }

    [GeneratedRegex(@"\{\{\{?((?:[^{}""]|""[^""]*"")*)\}?\}\}")]
    private static partial Regex Tag();

    [GeneratedRegex(@"^field\.[a-z][a-z0-9_]{0,39}$")]
    private static partial Regex Own();

    /// <summary>A tag that begins, turns or ends a block.</summary>
    [GeneratedRegex(@"\{\{\s*(?:#(?:if|unless)\s+[\w.]+|else|/(?:if|unless))\s*\}\}")]
    internal static partial Regex BlockTag();

    // A tag is kept, a brace that closes a rule is not.
    [GeneratedRegex(@"(\{\{[^{}]*\}\})|\}")]
    private static partial Regex Rules();

    [GeneratedRegex(@"^#(if|unless)\s+([\w.]+)$")]
    private static partial Regex Block();

    [GeneratedRegex(@"^url\s+([\w.]+)(?:\s+""[^""{}]*"")?$")]
    private static partial Regex Encoded();

    [GeneratedRegex(@"/\*.*?(?:\*/|\z)", RegexOptions.Singleline)]
    private static partial Regex StyleComment();

    // What stands before the first field of an address is what makes it one.
    [GeneratedRegex(
        """(\shref\s*=\s*(?!["']?\s*mailto:)(?:"[^"{}]+|'[^'{}]+|[^\s"'{}>]+))((?:[^"'{}>]|\{\{[^{}]*\}\})*)""",
        RegexOptions.IgnoreCase)]
    private static partial Regex Address();

    // A field, or one with a fallback; blocks stay as they are.
    [GeneratedRegex("""\{\{\s*(?:default\s+)?((?:[\w]+\.[\w]+)(?:\s+"[^"{}]*")?)\s*\}\}""")]
    private static partial Regex Value();

    [GeneratedRegex(@"^default\s+([\w.]+)\s+""([^""{}]*)""$")]
    private static partial Regex Fallback();
}
