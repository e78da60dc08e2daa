using System.Text;
using Sankore.Platform.Security;

namespace Sankore.Platform.Files;

/// <summary>
/// Rows of CSV (RFC 4180) as they come: however long a row is, no more of it is kept than the limits allow. A quote opens a quoted cell
/// only where a cell begins; blanks before it count for nothing.
/// </summary>
internal sealed class CsvParser(TextReader text, char separator, SheetLimits limits)
{
    private readonly char[] _buffer = new char[16 * 1024];
    private readonly StringBuilder _cell = new();
    private readonly List<string> _cells = [];
    private int _at;
    private int _end;

    /// <summary>Whether the text ended inside quotes.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>The cells of the next row; null at the end. Refuses with FILE_INVALID where the text is none.</summary>
    public string[]? Next()
    {
        if (Peek() < 0)
        {
            return null;
        }
        _cells.Clear();
        while (Cell())
        {
        }
        return [.. _cells];
    }

    /// <summary>Reads a cell and what ends it; says whether the row has another.</summary>
    private bool Cell()
    {
        _cell.Clear();
        var c = Read();
        var blanks = 0;
        for (; c == ' ' && separator != ' '; c = Read())
        {
            blanks++;
        }
        if (c == '"')
        {
            Quoted();
            c = Read();
        }
        else
        {
            // They are trimmed with the cell, but for what is left of it when it is cut.
            _cell.Append(' ', Math.Min(blanks, limits.CellLength));
        }
        while (c >= 0 && c != separator && c is not ('\r' or '\n'))
        {
            Keep((char)c);
            c = Read();
        }
        if (c == '\r' && Peek() == '\n')
        {
            _at++;
        }
        if (_cells.Count < limits.Columns)
        {
            _cells.Add(CellText.Clean(_cell.ToString()));
        }
        return c == separator;
    }

    private void Quoted()
    {
        for (var c = Read(); c >= 0; c = Read())
        {
            if (c == '"' && Peek() != '"')
            {
                return;
            }
            _at += c == '"' ? 1 : 0;
            Keep((char)c);
        }
        IsOpen = true;
    }

    private void Keep(char c)
    {
        if (c == '\0')
        {
            throw new Refusal(Reason.FileInvalid);
        }
        if (_cell.Length < limits.CellLength)
        {
            _cell.Append(c);
        }
    }

    private int Peek()
    {
        if (_at == _end)
        {
            (_at, _end) = (0, text.Read(_buffer));
        }
        return _at == _end ? -1 : _buffer[_at];
    }

    private int Read()
    {
        var c = Peek();
        _at += c < 0 ? 0 : 1;
        return c;
    }
}
