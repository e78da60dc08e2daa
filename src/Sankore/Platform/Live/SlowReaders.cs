namespace Sankore.Platform.Live;

/// <summary>
/// The streams of one shard whose sockets did not take all that was written: tried again from time to time, and given up when nothing
/// moves.
/// </summary>
/// <param name="giveUp">Lets a stream go.</param>
internal sealed class SlowReaders(Action<LiveConnection> giveUp)
{
    /// <summary>A reader whose socket takes nothing for so many milliseconds is let go.</summary>
    private const int MaxStall = 30_000;

    private readonly List<LiveConnection> _readers = [];
    private long _nextTry;

    /// <summary>When to try next.</summary>
    public long DueAt => _readers.Count == 0 ? long.MaxValue : _nextTry;

    /// <summary>A stream has fallen behind.</summary>
    public void Add(LiveConnection connection, long now)
    {
        connection.MovedAt = now;
        _readers.Add(connection);
    }

    /// <summary>Tries all again, if it is time to.</summary>
    public void Try(long now)
    {
        if (now < DueAt)
        {
            return;
        }
        _readers.RemoveAll(connection =>
        {
            if (connection.Flush() > 0)
            {
                connection.MovedAt = now;
            }
            else if (connection.HasBacklog && now - connection.MovedAt > MaxStall)
            {
                giveUp(connection);
            }
            return connection.IsEnded || !connection.HasBacklog;
        });
        // The more there are, the more seldom they are tried.
        _nextTry = now + Math.Clamp(_readers.Count / 50, 10, 100);
    }
}
