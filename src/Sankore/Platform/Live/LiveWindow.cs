namespace Sankore.Platform.Live;

/// <summary>The last part of the log, in memory: whoever was away for a while resumes from here, without a look at the database.</summary>
public sealed class LiveWindow(int capacity)
{
    private readonly Lock _lock = new();
    private readonly Change[] _ring = new Change[capacity];
    private long _added;
    private long _floor;

    /// <summary>How many changes it holds at most.</summary>
    public int Capacity => _ring.Length;

    /// <summary>Every change with an id above this is in the window.</summary>
    public long Floor { get { lock (_lock) { return _floor; } } }

    /// <summary>The id of the last change seen.</summary>
    public long Position { get { lock (_lock) { return Last(); } } }

    /// <summary>Says where the window begins.</summary>
    public void Start(long floor)
    {
        lock (_lock)
        {
            (_added, _floor) = (0, floor);
        }
    }

    /// <summary>Appends changes in order of their ids.</summary>
    public void Add(IReadOnlyList<Change> changes)
    {
        lock (_lock)
        {
            foreach (var change in changes)
            {
                var slot = _added % _ring.Length;
                if (_added >= _ring.Length)
                {
                    _floor = _ring[slot].Id;
                }
                _ring[slot] = change;
                _added++;
            }
        }
    }

    /// <summary>
    /// The changes with <paramref name="after"/> &lt; id ≤ <paramref name="upTo"/>; null when the window does not reach back that far.
    /// </summary>
    public IReadOnlyList<Change>? Between(long after, long upTo = long.MaxValue)
    {
        lock (_lock)
        {
            if (after < _floor)
            {
                return null;
            }
            if (after >= Math.Min(upTo, Last()))
            {
                return [];
            }
            var found = new List<Change>();
            for (var i = _added - 1; i >= Math.Max(0, _added - _ring.Length) && _ring[i % _ring.Length].Id > after; i--)
            {
                if (_ring[i % _ring.Length].Id <= upTo)
                {
                    found.Add(_ring[i % _ring.Length]);
                }
            }
            found.Reverse();
            return found;
        }
    }

    private long Last() => _added == 0 ? _floor : _ring[(_added - 1) % _ring.Length].Id;
}
