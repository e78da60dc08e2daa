using System.Net;
using System.Text.RegularExpressions;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>
/// The HTML of a campaign whose links or opening are watched. What is rewritten are the http(s) addresses of links as they stand in the
/// text; an address with a merge field in it, such as the link to leave, differs from message to message and is left as it is.
/// </summary>
/// <param name="Template">The text with marks where addresses were: still a template, all else untouched.</param>
/// <param name="Urls">Where the links lead; the first has number 1. The same address has one number.</param>
public sealed partial record TrackedHtml(string Template, IReadOnlyList<string> Urls)
{
    private const int MaxLinks = 1000, MaxUrl = 4000;

    // A name that leads nowhere (RFC 2606, 2), so that a mark that was left over would be seen, and harm nobody.
    private const string LinkMark = "https://sankore-link.invalid/", OpenMark = "https://sankore-open.invalid/";

    /// <summary>Puts the marks into a template.</summary>
    public static TrackedHtml Of(string template, bool clicks, bool opens)
    {
        var urls = new List<string>();
        var marked = clicks
            ? Link()
            .Replace(
                template, tag => tag.Value.StartsWith("<!--", StringComparison.Ordinal) ? tag.Value
                : Href().Replace(tag.Value, href => Marked(href, urls), 1)) : template;
        if (opens)
        {
            var end = marked.LastIndexOf("</body", StringComparison.OrdinalIgnoreCase);
            marked = marked.Insert(end < 0 ? marked.Length : end, $"""<img src="{OpenMark}" width="1" height="1" alt="">""");
        }
        return new TrackedHtml(marked, urls);
    }

    /// <summary>The finished HTML of one message: signed links in place of the marks.</summary>
    /// <param name="html">What the template became for this message.</param>
    /// <param name="message">The message.</param>
    /// <param name="links">Signs.</param>
    /// <param name="link">A link to a path of the platform.</param>
    public static string Fill(string html, Guid message, LinkSigner links, Func<string, Uri> link) =>
        Mark().Replace(html, mark => mark.Groups[1].Success
        ? link(
        $"/c/{links.Sign(LinkPurpose.Click, message, int.Parse(mark.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture))}")
        .ToString()
        : link($"/o/{links.Sign(LinkPurpose.Open, message)}.gif").ToString());

    /// <summary>
    /// An address of the web as a header can say it, as browsers do: line breaks and tabs count for nothing, a domain is asked for in ASCII
    /// (IDNA), and other letters are percent-encoded (RFC 3986). One that is ASCII stays as it is; null: it is none.
    /// </summary>
    internal static string? Location(string url)
    {
        var written = string.Concat(url.Where(c => c is not ('\t' or '\r' or '\n'))).Trim();
        if (!Uri.TryCreate(written, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            return null;
        }
        if (!written.AsSpan().ContainsAnyExceptInRange('!', '~') && written.Contains("://", StringComparison.Ordinal))
        {
            return written;
        }
        if (Host(uri) is not { } host)
        {
            return null;
        }
        var who = uri.UserInfo.Length > 0 ? uri.GetComponents(UriComponents.UserInfo, UriFormat.UriEscaped) + "@" : "";
        var rest = uri.GetComponents(UriComponents.PathAndQuery | UriComponents.Fragment, UriFormat.UriEscaped);
        var said = $"{uri.Scheme}://{who}{host}{(uri.IsDefaultPort ? "" : $":{uri.Port}")}{rest}";
        return said.AsSpan().ContainsAnyExceptInRange('!', '~') ? null : said;
    }

    private static string? Host(Uri uri)
    {
        try
        {
            return uri.HostNameType == UriHostNameType.Dns ? uri.IdnHost : uri.Host;
        }
        catch (UriFormatException)
        {
            return null;
        }
    }

    private static string Marked(Match href, List<string> urls)
    {
        var value = href.Groups["value"];
        var written = WebUtility.HtmlDecode(value.Value);
        if (written.Contains("{{", StringComparison.Ordinal) || Location(written) is not { Length: <= MaxUrl } url
            || (!urls.Contains(url) && urls.Count == MaxLinks))
        {
            return href.Value;
        }
        if (!urls.Contains(url))
        {
            urls.Add(url);
        }
        var quote = href.Groups["quote"].Value is { Length: > 0 } given ? given : "\"";
        return $"{href.Groups["name"].Value}{quote}{LinkMark}{urls.IndexOf(url) + 1}{quote}";
    }

    // Comments are found so that they are passed over. The bounds keep a text made for it from costing more than it is long.
    [GeneratedRegex(
        """<!--.{0,20000}?-->|<(?:a|area)\s(?:[^>"']|"[^"]{0,6000}"|'[^']{0,6000}'){0,6000}>""",
        RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Link();

    [GeneratedRegex(
        """(?<name>\shref\s*=\s*)(?:(?<quote>["'])(?<value>.*?)\k<quote>|(?<value>[^\s"'>]+))""",
        RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Href();

    [GeneratedRegex(@"https://sankore-(?:link\.invalid/([1-9][0-9]{0,3})|open\.invalid/)")]
    private static partial Regex Mark();
}

/// <summary>Opening and clicking, where a campaign watches it: off unless its author asks for it.</summary>
public sealed class Tracking(Db db, SignedLinks links, ProgressFeed progress)
{
    private const string KeepSql = """
        with gone as (
          delete from campaigns.campaign_links where campaign_id = @campaign and number > cardinality(@urls::text[]) and clicks = 0)
        insert into campaigns.campaign_links as l (campaign_id, user_id, number, url) select @campaign, @userId, number, url
        from unnest(@urls::text[]) with ordinality u (url, number)
        on conflict on constraint campaign_links_pkey do update set url = excluded.url where l.url <> excluded.url
        """;

    private const string FollowSql = "select url, is_first from campaigns.follow_link(@Message, @Number)";
    private const string UrlSql = "select url from campaigns.link_url(@Message, @Number) url";

    // Null: there is no such message; false: it counts for nothing.
    private const string CountsSql = "select (select not (is_try or is_past) from campaigns.written(@Message))";

    private sealed record Followed(string? Url, bool IsFirst);

    /// <summary>
    /// Keeps where a campaign's links lead, before the first of its messages leaves; of a draft that is tried, as they are then.
    /// </summary>
    public Task Keep(Guid campaign, Guid userId, IReadOnlyList<string> urls, CancellationToken ct) =>
        urls.Count == 0 ? Task.CompletedTask
            : db.Run(Caller.Service, session => session.Execute(KeepSql, new { campaign, userId, urls = urls.ToArray() }), ct);

    /// <summary>Where a link leads. Refuses with NOT_FOUND, the same for a link that is forged and one whose message is gone.</summary>
    /// <param name="token">The link.</param>
    /// <param name="counts">Whether it was followed, not only looked at.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<string> Click(string token, bool counts, CancellationToken ct)
    {
        var target = await links.Read(LinkPurpose.Click, token, ct) ?? throw new Refusal(Reason.NotFound);
        if (!counts)
        {
            return await db.Read(Caller.Service, session => Url(session, target), ct);
        }
        var (url, taken) = await db.Run(Caller.Service, async session =>
        {
            var followed = await session.One<Followed>(FollowSql, target);
            if (followed.Url is null)
            {
                return (await Url(session, target), null);
            }
            var clicked = DeliveryEvent.Of($"click:{target.Message}:{target.Number}", target.Message, "clicked", null, null, null);
            return (Known(followed.Url), (DeliveryEvents.Taken?)await DeliveryEvents.Take(session, "sankore", [clicked]));
        }, ct);
        progress.Changed(taken?.Changed ?? []);
        return url;
    }

    private static async Task<string> Url(Session session, LinkTarget target) =>
        Known(await session.Find<string>(UrlSql, target));

    // What earlier versions kept may have other letters.
    private static string Known(string? url) =>
        url is not null && TrackedHtml.Location(url) is { } location ? location : throw new Refusal(Reason.NotFound);

    /// <summary>Notes that a message was opened. Refuses with NOT_FOUND.</summary>
    /// <param name="token">The picture's.</param>
    /// <param name="counts">Whether it was loaded, not only looked at.</param>
    /// <param name="ct">Cancels.</param>
    public async Task Open(string token, bool counts, CancellationToken ct)
    {
        var target = await links.Read(LinkPurpose.Open, token, ct) ?? throw new Refusal(Reason.NotFound);
        var taken =
            await db.Run(Caller.Service, async session =>
            (await session.Value<bool?>(CountsSql, target) ?? throw new Refusal(Reason.NotFound)) && counts
            ? await DeliveryEvents.Take(
                session, "sankore", [DeliveryEvent.Of($"open:{target.Message}", target.Message, "opened", null, null, null)]) : null, ct);
        progress.Changed(taken?.Changed ?? []);
    }
}
