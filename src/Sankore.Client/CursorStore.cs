using System.Globalization;

namespace Sankore.Client;

/// <summary>Keeps the position of one feed between runs. A position is one server's and one person's: no two feeds share a store.</summary>
public interface ICursorStore
{
    /// <summary>The position that was saved last; null when none ever was.</summary>
    ValueTask<long?> Load(CancellationToken ct);

    /// <summary>
    /// Saves the position of an event that has been processed. Not cancelled: what is processed is processed. What it throws ends the feed.
    /// </summary>
    ValueTask Save(long position);
}

/// <summary>Keeps the position as long as the process lives.</summary>
public sealed class MemoryCursorStore : ICursorStore
{
    private long _position = -1;

    /// <inheritdoc/>
    public ValueTask<long?> Load(CancellationToken ct) => new(Interlocked.Read(ref _position) is >= 0 and var position ? position : null);

    /// <inheritdoc/>
    public ValueTask Save(long position)
    {
        Interlocked.Exchange(ref _position, position);
        return ValueTask.CompletedTask;
    }
}

/// <summary>
/// Keeps the position in a file, replaced whole so that a crash leaves the old or the new one. Written at most once per interval, and on
/// dispose: after a crash, events of the last interval come again.
/// </summary>
public sealed class FileCursorStore : ICursorStore, IDisposable
{
    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly TimeSpan _interval;
    private readonly ITimer _timer;
    private long? _unwritten;
    private bool _pausing;
    private Exception? _failure;

    /// <summary>A store in a file; its folder must exist.</summary>
    /// <param name="path">The file: made when there is a position to keep, and beside it, for a moment, one with <c>.new</c>
    /// appended.</param>
    /// <param name="interval">The least time between two writes; null: 1 s.</param>
    /// <param name="time">The clock; null: the system's.</param>
    public FileCursorStore(string path, TimeSpan? interval = null, TimeProvider? time = null)
    {
        (_path, _interval) = (Path.GetFullPath(path), interval ?? TimeSpan.FromSeconds(1));
        _timer = (time ?? TimeProvider.System).CreateTimer(_ => Continue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The file holds something else. It is left as it is.</exception>
    public async ValueTask<long?> Load(CancellationToken ct)
    {
        if (!File.Exists(_path))
        {
            return null;
        }
        var text = await File.ReadAllTextAsync(_path, ct).ConfigureAwait(false);
        return long.TryParse(text.TrimEnd(), NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            ? position
            : throw new InvalidDataException($"{_path} holds no position of a feed.");
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be written now, or could not when it was due.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, for lack of a right.</exception>
    public ValueTask Save(long position)
    {
        lock (_lock)
        {
            if (_failure is { } failure)
            {
                _failure = null;
                throw new IOException($"{_path} could not be written: {failure.Message}", failure);
            }
            _unwritten = position;
            if (!_pausing)
            {
                Write();
            }
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>Writes what is not written yet.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, for lack of a right.</exception>
    public void Dispose()
    {
        lock (_lock)
        {
            _timer.Dispose();
            Write();
            _pausing = true;
        }
    }

    private void Continue()
    {
        lock (_lock)
        {
            _pausing = false;
            try
            {
                Write();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Nobody waits here: whoever saves next is told.
                _failure = e;
            }
        }
    }

    private void Write()
    {
        if (_unwritten is not { } position)
        {
            return;
        }
        using (var file = new FileStream(_path + ".new", FileMode.Create, FileAccess.Write))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(position.ToString(CultureInfo.InvariantCulture) + "\n"));
            file.Flush(flushToDisk: true);
        }
        File.Move(_path + ".new", _path, overwrite: true);
        (_unwritten, _pausing) = (null, true);
        _timer.Change(_interval, Timeout.InfiniteTimeSpan);
    }
}
