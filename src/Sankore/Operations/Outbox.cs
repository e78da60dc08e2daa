using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Sankore.Platform.Jobs;

namespace Sankore.Operations;

/// <summary>A mail that was written to the outbox.</summary>
public sealed record OutboxMail(Guid Id, string To, string Subject, DateTime WrittenAt);

/// <summary>A mail with its text.</summary>
public sealed record OutboxMailText(OutboxMail Mail, string Text);

/// <summary>The <c>.eml</c> files that stand in for sent mail until SMTP is configured.</summary>
public sealed partial class Outbox(MailOptions options)
{
    private const int MaxListed = 200;

    /// <summary>The newest mails, at most 200.</summary>
    public IReadOnlyList<OutboxMail> List() => !Directory.Exists(options.Outbox) ? []
        : [.. new DirectoryInfo(options.Outbox).EnumerateFiles("*.eml").OrderByDescending(f => f.LastWriteTimeUtc).Take(MaxListed).Select(f => Read(f).Mail)];

    /// <summary>One mail, or null.</summary>
    public OutboxMailText? Find(Guid id) => new FileInfo(Path.Combine(options.Outbox, $"{id}.eml")) is { Exists: true } file ? Read(file) : null;

    private static OutboxMailText Read(FileInfo file)
    {
        var lines = File.ReadAllLines(file.FullName);
        var end = Array.IndexOf(lines, "");
        var headers = Unfold(lines.Take(end < 0 ? lines.Length : end));
        var mail = new OutboxMail(Guid.TryParse(Path.GetFileNameWithoutExtension(file.Name), out var id) ? id : Guid.Empty, Header("To"), Words(Header("Subject")), file.LastWriteTimeUtc);
        var body = string.Join("\n", lines.Skip(end + 1));
        return new OutboxMailText(mail, Header("Content-Transfer-Encoding").ToLowerInvariant() switch
        {
            "base64" => Encoding.UTF8.GetString(Convert.FromBase64String(body)),
            "quoted-printable" => QuotedPrintable(body),
            _ => body,
        });

        string Header(string name) => headers.FirstOrDefault(h => h.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim() ?? "";
    }

    private static List<string> Unfold(IEnumerable<string> lines)
    {
        var headers = new List<string>();
        foreach (var line in lines)
        {
            if (line is [' ' or '\t', ..] && headers.Count > 0)
            {
                headers[^1] += line;
            }
            else
            {
                headers.Add(line);
            }
        }
        return headers;
    }

    /// <summary>RFC 2047: adjacent encoded words are one text; the framework writes UTF-8 in base64.</summary>
    private static string Words(string header)
    {
        var words = EncodedWord().Matches(header);
        return words.Count == 0 ? header : Encoding.UTF8.GetString([.. words.SelectMany(w => Convert.FromBase64String(w.Groups[1].Value))]);
    }

    [GeneratedRegex(@"=\?utf-8\?B\?([^?]*)\?=", RegexOptions.IgnoreCase)]
    private static partial Regex EncodedWord();

    private static string QuotedPrintable(string body)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < body.Length; i++)
        {
            if (body[i] != '=')
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(body, i, 1));
            }
            else if (i + 1 < body.Length && body[i + 1] == '\n')
            {
                i++;
            }
            else if (i + 2 < body.Length && byte.TryParse(body.AsSpan(i + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                i += 2;
            }
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }
}
