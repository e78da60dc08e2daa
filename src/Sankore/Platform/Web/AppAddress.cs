namespace Sankore.Platform.Web;

/// <summary>The address that people reach the platform at, for links in mails and on the terminal.</summary>
public sealed record AppAddress(Uri Base)
{
    /// <summary>A link to a path of the platform.</summary>
    public Uri Link(string path) => new(Base, path);

    /// <summary>A path of this site, whatever was asked for.</summary>
    public static string Local(string? url) => url is ['/', not '/' and not '\\', ..] && !url.Any(char.IsControl) ? url : "/";
}
