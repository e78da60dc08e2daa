using Sankore.Platform.Files;
using Sankore.Platform.Text;

namespace Sankore.Platform.Imports;

/// <summary>
/// What the first rows of a sheet suggest: the words of its head first; where a column's contents can be told, the head counts only if some
/// are below it, and without a head the column that has the most of them is it. The head is the first row whose words are known, above all
/// that has contents; a first row with contents is none.
/// </summary>
internal sealed class SheetGuess
{
    private const int PreviewRows = 12;
    private const int PreviewLength = 200;
    private const int TitleRows = 20;

    private readonly List<string[]> _rows;
    private readonly IReadOnlyList<ImportColumn> _columns;
    private readonly Dictionary<string, int> _found = [];
    private readonly Dictionary<(ImportColumn, string), bool> _held = [];
    private readonly int _above;
    private readonly bool _hasHeader, _isKnown;

    private SheetGuess(List<string[]> rows, IReadOnlyList<ImportColumn> columns)
    {
        (_rows, _columns) = (rows, columns);
        var contents = columns.Where(c => c.Holds is not null).ToList();
        var titles = rows.TakeWhile(r => !contents.Exists(c => r.Any(cell => Holds(c, cell)))).Take(TitleRows).ToList();
        var known = titles.FindIndex(r => contents.Exists(c => c.PlaceIn(r) >= 0)
            || columns.Select(c => c.PlaceIn(r)).Where(p => p >= 0).Distinct().Count() > 1);
        (_isKnown, _above, _hasHeader) = (known >= 0, Math.Max(0, known), titles.Count > 0);
        ByWords();
        ByContents();
        ByPlace();
    }

    /// <summary>Looks at a sheet's first rows.</summary>
    public static ImportSheet Of(string name, IReadOnlyList<SheetRow> sheet, IReadOnlyList<ImportColumn> columns)
    {
        var guess = new SheetGuess([.. sheet.Select(r => r.Cells)], columns);
        var preview = guess._rows.Take(PreviewRows + guess._above).Select(r => Array.ConvertAll(r, c => Texts.Shortened(c, PreviewLength)));
        return new ImportSheet(name, [.. preview], guess._hasHeader, guess._found, guess._above, sheet.Count(r => r.IsHidden));
    }

    private IEnumerable<int> Open =>
        Enumerable.Range(0, _rows.Skip(_above).Select(r => r.Length).DefaultIfEmpty().Max()).Where(c => !_found.ContainsValue(c));

    private void ByWords()
    {
        var head = _hasHeader ? _rows[_above] : [];
        foreach (var column in _columns.Where(c => c.Beside is null || _columns.Any(o => o.Name == c.Beside && o.PlaceIn(head) >= 0)))
        {
            Take(column, column.PlaceIn(head, _found.Values, _found.Keys));
        }
    }

    private void ByContents()
    {
        foreach (var column in _columns.Where(c => c.Holds is not null && !c.IsSpare && !_found.ContainsKey(c.Name)))
        {
            Take(column, Open.OrderByDescending(c => Held(column, c)).FirstOrDefault(-1));
        }
    }

    // Where a head has words that are known, only the one column that it leaves open, if that holds words.
    private void ByPlace()
    {
        var open = Open.ToList();
        if (!_isKnown || (open.Count == 1 && HoldsWords(open[0])))
        {
            foreach (var column in _columns.Where(c => c.IsFirstLeft && !_found.ContainsKey(c.Name)))
            {
                Take(column, open.FirstOrDefault(-1));
            }
        }
    }

    private bool HoldsWords(int place)
    {
        var said = _rows.Skip(_above + 1).Where(r => place < r.Length && r[place].Length > 0).Select(r => r[place]).ToList();
        return said.Count(c => c.Any(char.IsLetter) && !c.Contains('@', StringComparison.Ordinal)) * 2 > said.Count;
    }

    private int Held(ImportColumn column, int place) => _rows.Count(r => place < r.Length && Holds(column, r[place]));

    // A file may say the same a million times.
    private bool Holds(ImportColumn column, string cell) =>
        _held.TryGetValue((column, cell), out var known) ? known : _held[(column, cell)] = column.Holds!(cell);

    private void Take(ImportColumn column, int place)
    {
        if (place >= 0 && !_found.ContainsValue(place) && (column.Holds is null || Held(column, place) > 0))
        {
            _found[column.Name] = place;
        }
    }
}
