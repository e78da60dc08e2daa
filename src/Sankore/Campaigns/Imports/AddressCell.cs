using System.Text.RegularExpressions;
using Sankore.Platform.Mail;

namespace Sankore.Campaigns;

/// <summary>An address as a cell of a file has it.</summary>
/// <param name="Address">In its one form.</param>
/// <param name="Name">The name beside it; null: there is none.</param>
internal sealed partial record AddressCell(string Address, string? Name)
{
    private const int MaxName = 200;

    // More is a text in which addresses stand.
    private const int MaxCell = 1000;

    /// <summary>
    /// The addresses of a cell: <c>a@b.cg</c>, <c>Nom &lt;a@b.cg&gt;</c>, <c>a@b.cg (Nom)</c>, several with a semicolon, a comma, a bar, a
    /// blank, a line's end or a slash between them, with a stop or the like behind them. None, where any of them is no address: nothing is
    /// passed over.
    /// </summary>
    public static IReadOnlyList<AddressCell> Read(string? cell)
    {
        if (cell is not { Length: <= MaxCell } || !cell.Contains('@', StringComparison.Ordinal))
        {
            return [];
        }
        if (Whole(cell) is { } whole)
        {
            return [new AddressCell(whole, null)];
        }
        var (found, name) = (new List<AddressCell>(), "");
        foreach (var piece in Between().Split(cell).Select(p => p.Trim()).Where(p => p.Length > 0))
        {
            // A comma in a name that nobody quoted: « Nkounkou, Amina <a@b.cg> ».
            if (!piece.Contains('@', StringComparison.Ordinal))
            {
                name = name.Length > 0 ? $"{name}, {piece}" : piece;
                continue;
            }
            if (One(name.Length > 0 ? $"{name}, {piece}" : piece) is not { } one)
            {
                return [];
            }
            name = "";
            found.Add(one);
        }
        return name.Length == 0 ? [.. found.DistinctBy(f => Addresses.Key(f.Address))] : [];
    }

    private static AddressCell? One(string piece)
    {
        var named = Named().Match(piece);
        var written = (named.Success ? named.Groups["address"].Value : piece).Trim();
        var (name, bare) = (named.Groups["name"].Value, written.TrimEnd('.', ':', ')', '"', '\'').TrimStart('(', '"', '\''));
        return !HasAnother(name, written) && (Whole(written) ?? Whole(bare)) is { } address ? new AddressCell(address, NameOf(name)) : null;
    }

    private static string? Whole(string text) =>
        Addresses.Normalize(text) is { } address && ContactInput.IsAddress(address) ? address : null;

    // Of two addresses none is passed over; some programs write the one twice.
    private static bool HasAnother(string name, string address) => Within().Match(name) is { Success: true } within
        && Addresses.Key(within.Value) != Addresses.Key(address);

    private static string? NameOf(string text) =>
        string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim().Trim('"', '\'').Trim() is { Length: > 0 and <= MaxName } name
            && !name.Contains('@', StringComparison.Ordinal) ? name : null;

    // What stands between addresses, outside of quotes and brackets.
    [GeneratedRegex(
        """(?:[;,|\r\n]|:::|\s/\s|\s+(?:ou|et|and|or)\s+|(?<=@[^\s@<>"]+)\s+(?=[^\s@<>"]+@)|(?<=>)\s*(?=[^\s;,|]))"""
        + """(?=(?:[^"]*"[^"]*")*[^"]*\z)(?![^<>]*>)""",
        RegexOptions.IgnoreCase)]
    private static partial Regex Between();

    [GeneratedRegex(@"[^\s<>()""']+@[^\s<>()""']+\.[^\s<>()""']+")]
    private static partial Regex Within();

    [GeneratedRegex(
        @"\A(?:(?<name>.*?)\s*<(?<address>[^<>]+)>\s*|(?<address>[^\s()<>]+@[^\s()<>]+)\s*\((?<name>[^()]*)\))\z",
        RegexOptions.Singleline)]
    private static partial Regex Named();
}
