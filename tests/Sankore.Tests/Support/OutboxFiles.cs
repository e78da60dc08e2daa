using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Sankore.Tests.Support;

/// <summary>A mail of the outbox, read by hand.</summary>
public sealed record OutboxFile(string Path, string Raw)
{
    /// <summary>The header lines, unfolded.</summary>
    public IReadOnlyList<string> Headers => Regex.Replace(Raw[..End], "\n[ \t]+", " ").Split('\n');

    /// <summary>The text.</summary>
    public string Text => Header("Content-Transfer-Encoding").ToLowerInvariant() switch
    {
        "base64" => Encoding.UTF8.GetString(Convert.FromBase64String(Raw[End..].Trim())),
        "quoted-printable" => Encoding.UTF8.GetString([.. Unquote(Raw[(End + 2)..].Replace("=\n", "", StringComparison.Ordinal))]),
        _ => Raw[(End + 2)..],
    };

    private int End => Raw.IndexOf("\n\n", StringComparison.Ordinal);

    /// <summary>One header.</summary>
    public string Header(string name) =>
        Headers.FirstOrDefault(h => h.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim() ?? "";

    /// <summary>The link to a path of the platform in the text.</summary>
    public string Link(string path) => Regex.Match(Text, @"https?://[^/\s]+(" + Regex.Escape(path) + @"\S*)").Groups[1].Value;

    /// <summary>What the link to a path says behind its question mark.</summary>
    public Dictionary<string, StringValues> Query(string path) => QueryHelpers.ParseQuery(Link(path)[path.Length..]);

    private static IEnumerable<byte> Unquote(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '=')
            {
                yield return Convert.ToByte(text.Substring(i + 1, 2), 16);
                i += 2;
            }
            else
            {
                yield return (byte)text[i];
            }
        }
    }
}

/// <summary>The outbox of a world.</summary>
public static class OutboxFiles
{
    /// <summary>What has been written so far.</summary>
    public static IReadOnlyList<OutboxFile> Mails(this World world) => In(world.OutboxFolder);

    /// <summary>The mails of a folder.</summary>
    public static IReadOnlyList<OutboxFile> In(string folder) =>
        [.. Directory.GetFiles(folder, "*.eml").Select(path => new OutboxFile(path, File.ReadAllText(path).ReplaceLineEndings("\n")))];

    /// <summary>Waits for the first mail to somebody that has a link to a path.</summary>
    public static async Task<OutboxFile> MailTo(this World world, string address, string path, params string[] butFor)
    {
        await Waiting.Until(() => Find() is not null, $"a mail with {path} is written to {address}");
        return Find()!;

        OutboxFile? Find() => world.Mails()
            .FirstOrDefault(m => m.Header("To").Contains(address, StringComparison.OrdinalIgnoreCase)
                && m.Link(path).Length > 0 && !butFor.Contains(m.Link(path)));
    }
}
