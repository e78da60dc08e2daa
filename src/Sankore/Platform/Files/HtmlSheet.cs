using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Platform.Files;

/// <summary>The tables of a page that a program calls .xls. It is read whole: larger pages than a few megabytes are refused.</summary>
internal sealed class HtmlSheet : ISheet
{
    private const int MaxBytes = 8 * 1024 * 1024;
    private const int MaxElements = 500_000;

    private readonly SheetLimits _limits;
    private readonly IHtmlDocument _page;
    private readonly List<IHtmlTableElement> _tables;

    public HtmlSheet(SourceStream source, Encoding encoding, SheetLimits limits)
    {
        _limits = limits;
        using var text = TextFile.Open(source.Length <= MaxBytes ? source : throw new Refusal(Reason.TooLarge), encoding);
        _page = BoundedHtml.Parse(
            text.ReadToEnd(), MaxElements, isDeep => new Refusal(isDeep ? Reason.FileInvalid : Reason.TooLarge));
        // A table that holds tables is there for the page's look.
        _tables = [.. _page.QuerySelectorAll("table").OfType<IHtmlTableElement>()
            .Where(t => t.QuerySelector("table") is null && t.Rows.Length > 0)];
        if (_tables.Count == 0)
        {
            _page.Dispose();
            throw new Refusal(Reason.FileInvalid);
        }
    }

    public IReadOnlyList<string> Names =>
        [.. _tables.Select((t, n) => t.Caption?.TextContent.Trim() is { Length: > 0 } name ? name : $"{n + 1}")];

    public double Progress => 1;

    public IEnumerable<SheetRow> Rows(int sheet)
    {
        var (merged, number) = (new MergedCells([]), 0);
        var taken = new Dictionary<int, int>();
        foreach (var row in _tables[sheet].Rows)
        {
            number++;
            var (cells, column) = (new List<string>(), 0);
            foreach (var cell in row.Cells)
            {
                while (column < _limits.Columns && taken.GetValueOrDefault(column) >= number)
                {
                    column++;
                }
                if (column >= _limits.Columns)
                {
                    break;
                }
                var (down, across) = (Math.Clamp(cell.RowSpan, 1, 65_534), Math.Clamp(cell.ColumnSpan, 1, 1000));
                cells.AddRange(Enumerable.Repeat("", Math.Max(0, column + 1 - cells.Count)));
                cells[column] = CellText.Clean(Texts.Cut(Text(cell), _limits.CellLength));
                if (down > 1)
                {
                    merged.Begin(column, number, number + down - 1);
                }
                for (var last = Math.Min(column + across, _limits.Columns); column < last; column++)
                {
                    taken[column] = number + down - 1;
                }
            }
            yield return new SheetRow(number, merged.Filled(number, [.. cells]));
        }
    }

    public void Dispose() => _page.Dispose();

    /// <summary>What a cell shows: blanks and lines of the source count for nothing, a line's end of the page for one.</summary>
    private static string Text(IElement cell)
    {
        foreach (var end in cell.QuerySelectorAll("br"))
        {
            end.TextContent = "\v";
        }
        return string.Join(' ', cell.TextContent.Split([' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries)).Replace('\v', '\n');
    }
}
