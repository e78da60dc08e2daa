using System.Net;
using Microsoft.Extensions.Localization;

namespace Sankore.Campaigns;

/// <summary>A message as one recipient gets it.</summary>
/// <param name="Subject">On one line.</param>
/// <param name="Html">A whole document.</param>
/// <param name="Text">The same for readers who do not show HTML.</param>
public sealed record FilledMessage(string Subject, string Html, string Text);

/// <summary>
/// A message ready to be filled in: made once from a subject and a content that <see cref="MessageRules.Message"/> found nothing wrong
/// with, filled for each recipient. Thread-safe. Every recipient finds the link that unsubscribes: where the content does not show it to
/// all of them, a line below says it.
/// </summary>
public sealed class MessageText
{
    private const string FooterStyle =
        "margin:24px auto 0;padding:16px;max-width:600px;font:12px/1.5 Arial,sans-serif;color:#6b6255;text-align:center";

    private readonly MergeText _subject, _html, _text;

    private MessageText(string subject, string html, string text) =>
        (_subject, _html, _text) = (MergeText.OfPlain(subject), MergeText.OfHtml(html), MergeText.OfPlain(text));

    /// <summary>
    /// Makes a message ready, in the current language as far as words are added. Takes milliseconds: keep it for all recipients.
    /// </summary>
    /// <param name="subject">The subject, with merge fields.</param>
    /// <param name="content">The content, with merge fields.</param>
    /// <param name="words">The words that are added.</param>
    /// <param name="change">Changes the document before it is filled in; the plain text stays as it is.</param>
    public static MessageText Of(string subject, string content, IStringLocalizer<Strings> words, Func<string, string>? change = null)
    {
        change ??= html => html;
        content = MergeText.Prepared(content);
        var text = PlainText.Of(content);
        if (ShowsLink(text))
        {
            return new MessageText(subject, change(EmailDocument.Of(content)), text);
        }
        var (why, act) = (words["unsubscribe.why"].Value, words["unsubscribe.act"].Value);
        var link = $$$"""<a href="{{unsubscribe_url}}" style="color:#6b6255">{{{WebUtility.HtmlEncode(act)}}}</a>""";
        var footer = $"""<div style="{FooterStyle}">{WebUtility.HtmlEncode(why)} {link}</div>""";
        var last = EmailDocument.WithLast(content, footer);
        // An open comment or quote at the end would swallow it.
        var html = ShowsLink(PlainText.Of(last)) ? last : footer + content;
        return new MessageText(
            subject, change(EmailDocument.Of(html)),
            $$$"""{{{text}}}{{{"\n\n---\n"}}}{{{why}}} {{{act}}} ({{unsubscribe_url}})""".TrimStart());
    }

    /// <summary>The message for one recipient.</summary>
    public FilledMessage Fill(MergeValues values)
    {
        var context = values.ToContext();
        // A name may hold a line break; a header may not.
        var subject = string.Concat(_subject.Fill(context).Select(c => char.IsControl(c) ? ' ' : c));
        return new FilledMessage(subject, _html.Fill(context), _text.Fill(context));
    }

    /// <summary>Whether the link is there whatever is known of the recipient: some blocks show it to a part of them only.</summary>
    private static bool ShowsLink(string text)
    {
        const string Link = "urn:unsubscribe";
        if (!text.Contains("unsubscribe_url", StringComparison.Ordinal) || MergeText.Mistake(text) is not null)
        {
            return false;
        }
        var fill = MergeText.OfPlain(text);
        return Enumerable.Range(0, 8).All(known => fill.Fill(Values(known)).Contains(Link, StringComparison.Ordinal));

        static MergeValues Values(int known) => new("a", Word(known & 1), Word(known & 2), "c", Word(known & 4), Link);
        static string? Word(int known) => known == 0 ? null : "w";
    }
}
