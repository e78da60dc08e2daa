using System.Text;

namespace Sankore.Platform.Mail;

/// <summary>
/// A message that came from somewhere, or a part of one (RFC 5322, RFC 2045). Reading never fails: what makes no sense is taken as it stands,
/// what is beyond the limits (10 MB, 16 levels, 1000 parts, 1000 fields a part, 64 KB a field) is left out.
/// </summary>
public sealed class MimePart
{
    private const int MaxBytes = 10 * 1024 * 1024;
    private const int MaxDepth = 16;
    private const int MaxParts = 1000;
    private const int MaxFields = 1000;
    private const int MaxField = 64 * 1024;

    private readonly List<(string Name, string Value)> _fields = [];
    private readonly List<MimePart> _parts = [];
    private readonly ReadOnlyMemory<byte> _body;

    private MimePart(ReadOnlyMemory<byte> bytes, int depth, ref int left)
    {
        left--;
        _body = bytes[ReadFields(bytes.Span)..];
        Type = HeaderText.First(Field("Content-Type")) is { Length: > 0 } type && type.Contains('/', StringComparison.Ordinal) ? type : "text/plain";
        if (depth < MaxDepth && Type.StartsWith("multipart/", StringComparison.Ordinal))
        {
            Split(depth, ref left);
        }
        else if (depth < MaxDepth && Type is "message/rfc822" or "message/global" && left > 0)
        {
            _parts.Add(new MimePart(Content(), depth + 1, ref left));
        }
    }

    /// <summary>Reads a message.</summary>
    public static MimePart Read(ReadOnlyMemory<byte> message)
    {
        var left = MaxParts;
        return new MimePart(message[..Math.Min(message.Length, MaxBytes)], 0, ref left);
    }

    /// <summary>The media type in small letters; <c>text/plain</c> where none is given.</summary>
    public string Type { get; }

    /// <summary>The fields in their order, unfolded but not decoded.</summary>
    public IReadOnlyList<(string Name, string Value)> Fields => _fields;

    /// <summary>The parts of a multipart; the message inside a <c>message/rfc822</c>.</summary>
    public IReadOnlyList<MimePart> Parts => _parts;

    /// <summary>This part and all below it.</summary>
    public IEnumerable<MimePart> All => _parts.SelectMany(p => p.All).Prepend(this);

    /// <summary>The file's name that the part gives itself (RFC 2183, RFC 2231), or nothing.</summary>
    public string FileName => HeaderText.Parameter(Field("Content-Disposition"), "filename") is { Length: > 0 } name ? name : HeaderText.Parameter(Field("Content-Type"), "name");

    /// <summary>The first field of a name with its encoded words decoded (RFC 2047), or nothing.</summary>
    public string Header(string name) => HeaderText.Decode(Field(name));

    /// <summary>What is in it, out of its transfer encoding.</summary>
    public byte[] Content() => HeaderText.First(Field("Content-Transfer-Encoding")) switch
    {
        "base64" => TransferCode.Base64(_body.Span),
        "quoted-printable" => TransferCode.QuotedPrintable(_body.Span),
        _ => _body.ToArray(),
    };

    /// <summary>Its text, with the line breaks it came with; in letters that nobody knows, what of it can be read.</summary>
    public string Text() => HeaderText.Charset(HeaderText.Parameter(Field("Content-Type"), "charset")).GetString(Content());

    /// <summary>The text to show of a whole message: the first part of plain text that is no attachment, else of HTML, else nothing.</summary>
    public string BodyText() =>
        (All.FirstOrDefault(p => p.Type == "text/plain" && !p.IsAttachment) ?? All.FirstOrDefault(p => p.Type == "text/html" && !p.IsAttachment))?.Text() ?? "";

    private bool IsAttachment => HeaderText.First(Field("Content-Disposition")) == "attachment";

    private string Field(string name) => _fields.Find(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value ?? "";

    /// <summary>Where the body begins.</summary>
    private int ReadFields(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        var field = new StringBuilder();
        while (at < bytes.Length)
        {
            var line = Line(bytes[at..], out var next);
            at += next;
            if (line.Length == 0)
            {
                break;
            }
            if (line[0] is not (byte)' ' and not (byte)'\t')
            {
                Add(field);
                field.Clear();
            }
            if (field.Length < MaxField)
            {
                field.Append(HeaderText.Utf8OrLatin(line[..Math.Min(line.Length, MaxField)]));
            }
        }
        Add(field);
        return at;
    }

    private void Add(StringBuilder field)
    {
        var text = field.ToString();
        if (_fields.Count < MaxFields && text.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon)
        {
            _fields.Add((text[..colon].TrimEnd(), text[(colon + 1)..].TrimStart()));
        }
    }

    /// <summary>The parts between the lines of the boundary (RFC 2046, 5.1.1); a multipart without one is text.</summary>
    private void Split(int depth, ref int left)
    {
        var boundary = Encoding.UTF8.GetBytes("--" + HeaderText.Parameter(Field("Content-Type"), "boundary"));
        var span = _body.Span;
        var (at, start) = (0, -1);
        while (at < span.Length && boundary.Length > 2)
        {
            var line = Line(span[at..], out var next);
            if (line.StartsWith(boundary) && line[boundary.Length..].TrimEnd(" \t"u8) is [] or [(byte)'-', (byte)'-'])
            {
                Add(start, at, depth, ref left);
                start = line.Length > boundary.Length + 1 && line[boundary.Length] == '-' ? -2 : at + next;
            }
            at += next;
            if (start == -2)
            {
                return;
            }
        }
        Add(start, span.Length, depth, ref left);
    }

    /// <summary>The line break before a boundary belongs to it.</summary>
    private void Add(int start, int end, int depth, ref int left)
    {
        if (start < 0 || left <= 0)
        {
            return;
        }
        var span = _body.Span[start..end];
        var breakLength = span.EndsWith("\r\n"u8) ? 2 : span.EndsWith("\n"u8) ? 1 : 0;
        _parts.Add(new MimePart(_body[start..(end - breakLength)], depth + 1, ref left));
    }

    private static ReadOnlySpan<byte> Line(ReadOnlySpan<byte> bytes, out int next)
    {
        var end = bytes.IndexOf((byte)'\n');
        next = end < 0 ? bytes.Length : end + 1;
        var line = bytes[..(end < 0 ? bytes.Length : end)];
        return line is [.., (byte)'\r'] ? line[..^1] : line;
    }
}
