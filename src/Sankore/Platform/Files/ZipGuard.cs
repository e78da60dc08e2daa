using System.Buffers.Binary;
using System.IO.Compression;
using Sankore.Platform.Security;

namespace Sankore.Platform.Files;

/// <summary>
/// Opens the zip that a workbook is, once its directory says that nothing in it is too large. Sizes that lie help nobody: a part is
/// unpacked to the size that the directory names, and no further.
/// </summary>
internal static class ZipGuard
{
    private const int MaxParts = 5_000;
    // A directory's line is 46 bytes and a name.
    private const long MaxDirectory = MaxParts * 200L;
    // Deflate packs a thousandfold at best; rows that are alike, some hundredfold.
    private const int MaxRatio = 400;
    private const int RatioFrom = 10 * 1024 * 1024;
    private const int EndLength = 22;

    /// <summary>Refuses with TOO_LARGE, FILE_INVALID.</summary>
    public static ZipArchive Open(SourceStream source, SheetLimits limits)
    {
        if (DirectoryLength(source) is var directory && directory is <= 0 or > MaxDirectory)
        {
            throw new Refusal(directory <= 0 ? Reason.FileInvalid : Reason.TooLarge);
        }
        var zip = new ZipArchive(source, ZipArchiveMode.Read, leaveOpen: true);
        try
        {
            // Each is compared before they are added: together they could be made to overflow.
            var isTooLarge = zip.Entries.Count > MaxParts || zip.Entries.Any(e => e.Length < 0 || e.Length > limits.UncompressedBytes);
            var total = isTooLarge ? long.MaxValue : zip.Entries.Sum(e => e.Length);
            return total > limits.UncompressedBytes || (total > RatioFrom && total / source.Length > MaxRatio)
                ? throw new Refusal(Reason.TooLarge) : zip;
        }
        catch
        {
            zip.Dispose();
            throw;
        }
    }

    /// <summary>How many bytes the zip's directory has before its end record; whatever opens the zip keeps all of it.</summary>
    private static long DirectoryLength(SourceStream source)
    {
        var tail = new byte[Math.Min(source.Length, EndLength + ushort.MaxValue)];
        source.Position = source.Length - tail.Length;
        source.ReadExactly(tail);
        var at = tail.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        if (at < 0 || at + EndLength > tail.Length)
        {
            return -1;
        }
        var end = source.Length - tail.Length + at;
        var start = (long)BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at + 16));
        if (start == uint.MaxValue && at >= 20 && tail.AsSpan(at - 20).StartsWith("PK\u0006\u0007"u8))
        {
            // The long form of the record stands elsewhere, and says where the directory is.
            Span<byte> record = stackalloc byte[56];
            source.Position = Math.Clamp(BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(at - 12)), 0, source.Length - record.Length);
            source.ReadExactly(record);
            start = BinaryPrimitives.ReadInt64LittleEndian(record[48..]);
        }
        source.Position = 0;
        return end - start;
    }
}
