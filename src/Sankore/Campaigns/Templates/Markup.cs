using System.Text.RegularExpressions;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Campaigns;

/// <summary>What a message's HTML may not hold: mail programs drop it, or distrust the whole message for it.</summary>
internal static partial class Markup
{
    // Far beyond any real message: what is done with it takes a second.
    private const int MaxElements = 20_000;

    private static readonly HashSet<string> Unwanted =
        ["script", "iframe", "frame", "frameset", "object", "embed", "applet", "form", "base", "template"];
    private static readonly HashSet<string> Addresses =
        ["href", "src", "srcset", "action", "formaction", "background", "poster", "data", "cite", "longdesc", "xlink:href"];
    private static readonly string[] Schemes = ["javascript:", "vbscript:", "data:text/html", "data:application/xhtml"];

    /// <summary>
    /// A document out of HTML, whole or a part. Refuses with VALIDATION_FAILED beside <c>content</c> when it has too many elements, or they
    /// lie too deep in each other, to be worked on.
    /// </summary>
    public static IHtmlDocument Read(string html) => BoundedHtml.Parse(
        html, MaxElements, _ => Refused(new FieldError("html.large")), element =>
        {
            if (element.LocalName == "template")
            {
                throw Refused(Named(element));
            }
        });

    /// <summary>The first thing that does not belong into a message, for the message beside it; null: nothing.</summary>
    public static FieldError? Mistake(string html)
    {
        using var document = Read(html);
        INode? node = document.DocumentElement;
        while (node is not null)
        {
            if (node is IElement element && Mistake(element) is { } mistake)
            {
                return mistake;
            }
            node = Next(node);
        }
        return null;
    }

    private static FieldError? Mistake(IElement element)
    {
        if (Unwanted.Contains(element.LocalName)
            || (
                element.LocalName == "meta"
                && string.Equals(element.GetAttribute("http-equiv")?.Trim(), "refresh", StringComparison.OrdinalIgnoreCase)))
        {
            return Named(element);
        }
        foreach (var attribute in element.Attributes)
        {
            if (attribute.Name.StartsWith("on", StringComparison.OrdinalIgnoreCase) && attribute.Name.Length > 2)
            {
                return new FieldError("html.handler", attribute.Name);
            }
            if (Addresses.Contains(attribute.Name) && Array.Find(Schemes, Bare(attribute.Value).StartsWith) is { } scheme)
            {
                return new FieldError("html.address", scheme);
            }
            if (attribute.Name == "href" && element.LocalName is "a" or "area" && LacksScheme(attribute.Value.Trim()))
            {
                return new FieldError("html.no_scheme", Texts.Shortened(attribute.Value.Trim(), 80));
            }
        }
        return null;
    }

    // In a mail a relative address leads nowhere; what a field fills in is looked at once it is filled in.
    private static bool LacksScheme(string address) => address.Length > 0 && address[0] is not ('#' or '{') && !Scheme().IsMatch(address);

    private static Refusal Refused(FieldError mistake) =>
        new(Reason.Invalid) { Fields = new Dictionary<string, FieldError> { ["content"] = mistake } };

    private static FieldError Named(IElement element) => new("html.element", "<" + element.LocalName + ">");

    /// <summary>An address as browsers read it: blanks and control characters in it count for nothing.</summary>
    private static string Bare(string address) =>
        string.Concat(address.Where(c => c > ' ' && !char.IsControl(c)).Take(40)).ToLowerInvariant();

    private static INode? Next(INode node)
    {
        if (node.FirstChild is { } child)
        {
            return child;
        }
        for (var at = node; at is not null; at = at.Parent)
        {
            if (at.NextSibling is { } sibling)
            {
                return sibling;
            }
        }
        return null;
    }

    // A domain with a port has none.
    [GeneratedRegex(@"\A(?!(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+|localhost):[0-9]+(?:[/?#]|\z))[a-z][a-z0-9+.-]*:", RegexOptions.IgnoreCase)]
    private static partial Regex Scheme();
}
