using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using Sankore.Platform.Security;

namespace Sankore.Platform.Text;

/// <summary>HTML that nobody vouches for, read no further than it can be worked on.</summary>
internal static class BoundedHtml
{
    private const int MaxDepth = 250;
    private const int LookEvery = 50;

    /// <summary>A document out of HTML, whole or a part.</summary>
    /// <param name="html">The text.</param>
    /// <param name="maxElements">The most elements.</param>
    /// <param name="beyond">What is thrown when there are more (false), or they lie too deep in each other (true).</param>
    /// <param name="look">Looks at each element that is made.</param>
    public static IHtmlDocument Parse(string html, int maxElements, Func<bool, Refusal> beyond, Action<IElement>? look = null)
    {
        var (made, last) = (0, (INode?)null);
        return new HtmlParser(new HtmlParserOptions
        {
            OnCreated = (element, _) =>
            {
                made += made < maxElements ? 1 : throw beyond(false);
                // Looked at while it is read: the parser itself takes ever longer the deeper it gets.
                last = made % LookEvery == 0 && Depth(last) > MaxDepth ? throw beyond(true) : element;
                look?.Invoke(element);
            },
        }).ParseDocument(html);
    }

    private static int Depth(INode? node)
    {
        var depth = 0;
        for (; node is not null; node = node.Parent)
        {
            depth++;
        }
        return depth;
    }
}
