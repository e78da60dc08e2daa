using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>What a message must be like, wherever it is written: in a template, in a campaign.</summary>
public static class MessageRules
{
    /// <summary>The longest subject, in characters.</summary>
    public const int MaxSubject = 250;

    /// <summary>The longest content, in characters.</summary>
    public const int MaxContent = 500_000;

    private static readonly MergeValues Known = new("amina@exemple.cg", "Amina", "Lycée", "Rentrée", "École", "https://exemple.cg/u"),
        Unknown = Known with { Name = null, Organization = null, Sender = null };

    /// <summary>
    /// A subject of one line and a content in HTML, both with known merge fields and whole blocks; and nothing in the content that mail
    /// programs distrust, whatever is known of the recipient. What is found wrong stands beside <c>subject</c> and <c>content</c>.
    /// </summary>
    public static Validation Message(this Validation validation, string? subject, string? content) =>
        validation.Required("subject", subject, MaxSubject).Required("content", content, MaxContent).Draft(subject, content);

    /// <summary>The same of a message that is not finished: its subject, its content or both may be missing.</summary>
    public static Validation Draft(this Validation validation, string? subject, string? content)
    {
        validation.Optional("subject", subject, MaxSubject)
            .That("subject", subject?.AsSpan().ContainsAny('\r', '\n') != true, "template.one_line")
            .Optional("content", content, MaxContent);
        if (subject is { Length: <= MaxSubject })
        {
            validation.Unless("subject", MergeText.Mistake(subject));
        }
        return content is { Length: > 0 and <= MaxContent } ? validation.Unless("content", MistakeOfContent(content)) : validation;
    }

    private static FieldError? MistakeOfContent(string content)
    {
        var prepared = MergeText.Prepared(content);
        if ((MergeText.MistakeOfHtml(content) ?? Markup.Mistake(content) ?? MergeText.Mistake(PlainText.Of(prepared))) is { } mistake)
        {
            return mistake;
        }
        // A tag may be put together by what is filled in.
        var html = MergeText.OfHtml(prepared);
        return Markup.Mistake(html.Fill(Known)) ?? Markup.Mistake(html.Fill(Unknown));
    }
}
