using System.Text.RegularExpressions;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>Pictures of the library in messages: written as paths of this site, sent as whole addresses.</summary>
internal static partial class PictureAddresses
{
    /// <summary>A picture's id, as a pattern for .NET and PostgreSQL alike.</summary>
    internal const string Id = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";


    /// <summary>Whether an address is a picture's of the library.</summary>
    public static bool Is(string address) => Path().IsMatch(address);

    /// <summary>The HTML for whoever reads it elsewhere.</summary>
    public static string Whole(string html, AppAddress address) =>
        Source().Replace(html, match => match.Groups[1].Value + address.Link(match.Groups[2].Value));

    [GeneratedRegex("^/i/" + Id + "$")]
    private static partial Regex Path();

    [GeneratedRegex("(\\bsrc\\s*=\\s*[\"']?)(/i/" + Id + ")", RegexOptions.IgnoreCase)]
    private static partial Regex Source();
}
