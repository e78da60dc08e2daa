namespace Sankore.Platform.Files;

/// <summary>
/// A file that somebody sent. A disk that fails is told apart from a file that is broken: readers throw the same exceptions for both.
/// </summary>
internal sealed class SourceStream(Stream file) : Stream
{
    /// <summary>Whether the disk, and not what the file says, is why reading failed.</summary>
    public bool HasFailed { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => file.Length;

    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        if (Position >= Length)
        {
            // Broken files point to what no stream can seek to.
            return 0;
        }
        try
        {
            if (file.Position != Position)
            {
                file.Position = Position;
            }
            var read = file.Read(buffer);
            Position += read;
            return read;
        }
        catch
        {
            HasFailed = true;
            throw;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin)
    {
        var position = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => Position + offset, _ => Length + offset };
        return Position = position < 0 ? throw new InvalidDataException("Before the start.") : position;
    }

    /// <summary>The same file, for whoever reads it once more.</summary>
    public SourceStream FromStart()
    {
        Position = 0;
        return this;
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>A part of a workbook as it is unpacked, counted; what no workbook says at once is refused before a reader keeps it.</summary>
internal sealed class PartStream(Stream part) : Stream
{
    // A cell has at most 32,767 characters, which as references take some 300 KB.
    private const int LongestText = 1024 * 1024;

    private int _sinceTag;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    /// <summary>How many bytes were unpacked.</summary>
    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        var read = part.Read(buffer);
        var tag = buffer[..read].LastIndexOf((byte)'<');
        var first = buffer[..read].IndexOf((byte)'<');
        var longest = _sinceTag + (first < 0 ? read : first);
        _sinceTag = tag < 0 ? longest : read - tag;
        Position += read;
        return longest > LongestText ? throw new InvalidDataException("A text without an end.") : read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            part.Dispose();
        }
        base.Dispose(disposing);
    }
}
