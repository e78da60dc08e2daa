using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Sankore.Platform.Files;

/// <summary>
/// The cards of a telephone or an address book (vCard 2.1, RFC 2426, RFC 6350), each as a row: organisation, address, name. Of several
/// addresses the preferred one counts, or else the first; pictures and all else are passed over.
/// </summary>
internal sealed partial class CardSheet(SourceStream source, Encoding encoding, SheetLimits limits) : ISheet
{
    // Longer lines are pictures.
    private const int MaxLine = 16 * 1024;

    static CardSheet() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    public IReadOnlyList<string> Names => [""];

    public double Progress => (double)source.Position / Math.Max(1, source.Length);

    public IEnumerable<SheetRow> Rows(int sheet)
    {
        yield return new SheetRow(1, ["Organisation", "E-mail", "Nom complet"]);
        using var text = Opened();
        var (number, card) = (1, new Card());
        foreach (var (name, parameters, value) in Properties(text))
        {
            switch (name)
            {
                case "BEGIN":
                    card = new Card();
                    break;
                case "END":
                    yield return new SheetRow(++number, [.. card.Cells.Select(Cut)]);
                    break;
                default:
                    card.Take(name, parameters, value);
                    break;
            }
        }
    }

    public void Dispose()
    {
        // The file is whoever's who opened it.
    }

    // As bytes: lines are folded within letters, too.
    private StreamReader Opened()
    {
        using var known = TextFile.Open(source, encoding);
        known.Peek();
        var isWide = known.CurrentEncoding.CodePage is 1200 or 1201;
        Stream file = isWide ? Encoding.CreateTranscodingStream(source.FromStart(), known.CurrentEncoding, Encoding.UTF8)
            : source.FromStart();
        return new StreamReader(file, Encoding.Latin1, detectEncodingFromByteOrderMarks: false, leaveOpen: true);
    }

    private string Cut(string cell) => CellText.Clean(cell.Length > limits.CellLength ? cell[..limits.CellLength] : cell);

    /// <summary>The properties of all cards, each on one line however it was folded.</summary>
    private static IEnumerable<(string Name, string[] Parameters, string Value)> Properties(StreamReader text)
    {
        var line = new StringBuilder();
        for (var next = text.ReadLine(); next is not null || line.Length > 0; next = text.ReadLine())
        {
            var isSoft = line.Length > 0 && line[^1] == '='
                && line.ToString().Contains("QUOTED-PRINTABLE", StringComparison.OrdinalIgnoreCase);
            if (next is not null && line.Length > 0 && (isSoft || next is [' ' or '\t', ..]))
            {
                line.Length -= isSoft ? 1 : 0;
                var more = next is [' ' or '\t', ..] && !isSoft ? next.AsSpan(1) : next.AsSpan();
                line.Append(more[..Math.Max(0, Math.Min(more.Length, MaxLine - line.Length))]);
                continue;
            }
            if (Property(line.ToString()) is { } property)
            {
                yield return property;
            }
            line.Clear().Append(next.AsSpan(0, Math.Min(next?.Length ?? 0, MaxLine)));
        }
    }

    private static (string Name, string[] Parameters, string Value)? Property(string line)
    {
        var colon = Head().Match(line).Length - 1;
        if (colon < 1)
        {
            return null;
        }
        var head = line[..colon].Split(';');
        var name = head[0][(head[0].LastIndexOf('.') + 1)..].Trim().ToUpperInvariant();
        return (name, [.. head.Skip(1).Select(p => p.Trim().ToUpperInvariant())], Decoded(line[(colon + 1)..], head));
    }

    private static string Decoded(string value, string[] parameters)
    {
        var charset = Array.Find(parameters, p => p.StartsWith("CHARSET=", StringComparison.OrdinalIgnoreCase)) ?? "";
        if (!parameters.Any(p => p.EndsWith("QUOTED-PRINTABLE", StringComparison.OrdinalIgnoreCase)))
        {
            return Text(Encoding.Latin1.GetBytes(value), charset);
        }
        var bytes = new List<byte>(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '=' && i + 2 < value.Length
                && byte.TryParse(value.AsSpan(i + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var b))
            {
                bytes.Add(b);
                i += 2;
            }
            else
            {
                bytes.Add((byte)value[i]);
            }
        }
        return Text([.. bytes], charset);
    }

    /// <summary>UTF-8 where it is that, else Windows-1252.</summary>
    private static string Text(byte[] bytes, string charset) =>
        charset.Contains("1252", StringComparison.Ordinal) || charset.Contains("8859", StringComparison.Ordinal)
            || !System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.GetEncoding(1252).GetString(bytes) : Encoding.UTF8.GetString(bytes);

    // A colon in quotes is a parameter's.
    [GeneratedRegex("""\A(?:[^":]|"[^"]*")*:""")]
    private static partial Regex Head();

    private sealed class Card
    {
        private string _organization = "", _name = "", _parts = "", _email = "";
        private bool _isPreferred;

        public IEnumerable<string> Cells => [_organization, _email, _name.Length > 0 ? _name : _parts];

        public void Take(string name, string[] parameters, string value)
        {
            switch (name)
            {
                case "FN":
                    _name = Plain(value);
                    break;
                case "N" when Split(value) is var parts:
                    _parts = string.Join(' ', new[] { parts.ElementAtOrDefault(1), parts[0] }.Where(p => !string.IsNullOrWhiteSpace(p)));
                    break;
                case "ORG":
                    _organization = Split(value)[0];
                    break;
                case "EMAIL" when value.Trim().Length > 0:
                    var isPreferred = Array.Exists(parameters, p => p is "PREF" or "PREF=1" or "TYPE=PREF"
                        || (p.StartsWith("TYPE=", StringComparison.Ordinal) && p[5..].Trim('"').Split(',').Contains("PREF")));
                    if (_email.Length == 0 || (isPreferred && !_isPreferred))
                    {
                        (_email, _isPreferred) = (Plain(value), isPreferred);
                    }
                    break;
                default:
                    break;
            }
        }

        /// <summary>The parts of a value: a semicolon behind a backslash is none of its own.</summary>
        private static string[] Split(string value) =>
            [.. value.Replace(@"\\", "\u0001", StringComparison.Ordinal).Replace(@"\;", "\u0002", StringComparison.Ordinal).Split(';')
                .Select(p => Plain(p.Replace("\u0002", ";", StringComparison.Ordinal).Replace("\u0001", @"\\", StringComparison.Ordinal)))];

        private static string Plain(string value)
        {
            var plain = new StringBuilder();
            for (var i = 0; i < value.Length; i++)
            {
                _ = value[i] != '\\' || i + 1 == value.Length ? plain.Append(value[i])
                    : plain.Append(value[++i] is 'n' or 'N' ? ' ' : value[i]);
            }
            return plain.ToString().Trim();
        }
    }
}
