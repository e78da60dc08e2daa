using System.Text.RegularExpressions;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>Pictures of the library in messages: written as paths of this site, sent as whole addresses.</summary>
internal static partial class PictureAddresses
{
    private const string Picture = "/i/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

    /// <summary>Whether an address is a picture's of the library.</summary>
    public static bool Is(string address) => Path().IsMatch(address);

    /// <summary>The HTML for whoever reads it elsewhere.</summary>
    public static string Whole(string html, AppAddress address) =>
        Source().Replace(html, match => match.Groups[1].Value + address.Link(match.Groups[2].Value));

    [GeneratedRegex("^" + Picture + "$")]
    private static partial Regex Path();

    [GeneratedRegex("(\\bsrc\\s*=\\s*[\"']?)(" + Picture + ")", RegexOptions.IgnoreCase)]
    private static partial Regex Source();
}
