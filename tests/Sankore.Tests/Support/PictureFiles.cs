using System.Buffers.Binary;
using SkiaSharp;

namespace Sankore.Tests.Support;

/// <summary>Files of pictures: a quarter each of red, green, blue and yellow, read like a page.</summary>
public static class PictureFiles
{
    public static readonly SKColor[] Quarters = [SKColors.Red, SKColors.Lime, SKColors.Blue, SKColors.Yellow];

    // Where a file's first row and first column are seen (EXIF 2.32, table 13), by its orientation.
    private static readonly (string Row, string Column)[] Sides =
    [
        ("top", "left"), ("top", "right"), ("bottom", "right"), ("bottom", "left"), ("left", "top"), ("right", "top"), ("right", "bottom"),
        ("left", "bottom"),
    ];

    /// <summary>A picture that is seen as wide and as high as said.</summary>
    public static byte[] Of(int width, int height, SKEncodedImageFormat format = SKEncodedImageFormat.Png)
    {
        using var bitmap = Seen(width, height);
        return Encode(bitmap, format);
    }

    /// <summary>The same as a camera writes it that was held in some way, with a remark.</summary>
    public static byte[] Photo(int width, int height, int orientation, string remark = "")
    {
        using var seen = Seen(width, height);
        var isTurned = orientation >= 5;
        using var held = new SKBitmap(isTurned ? height : width, isTurned ? width : height);
        var (row, column) = Sides[orientation - 1];
        for (var r = 0; r < held.Height; r++)
        {
            for (var c = 0; c < held.Width; c++)
            {
                var (x1, y1) = At(row, r);
                var (x2, y2) = At(column, c);
                held.SetPixel(c, r, seen.GetPixel(x1 ?? x2!.Value, y1 ?? y2!.Value));
            }
        }
        var jpeg = Encode(held, SKEncodedImageFormat.Jpeg);
        byte[] exif =
            [.. "Exif\0\0MM\0*\0\0\0\u0008\0\u0001"u8, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];
        return [0xff, 0xd8, .. Segment(0xe1, exif), .. Segment(0xfe, System.Text.Encoding.UTF8.GetBytes(remark)), .. jpeg[2..]];

        (int? X, int? Y) At(string side, int i) => side switch
        {
            "top" => (null, i),
            "bottom" => (null, height - 1 - i),
            "left" => (i, null),
            _ => (width - 1 - i, null),
        };
    }

    /// <summary>A file that says it is larger than it could ever be.</summary>
    public static byte[] Bomb()
    {
        var png = Of(8, 8);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), 60_000);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), 60_000);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc(png.AsSpan(12, 17)));
        return png;
    }

    /// <summary>A form with a file.</summary>
    public static MultipartFormDataContent Form(byte[] file, string name = "cour.png") =>
        new() { { new ByteArrayContent(file), "file", name } };

    /// <summary>The check of a PNG's part (ISO/IEC 15948, annex D).</summary>
    private static uint Crc(ReadOnlySpan<byte> part)
    {
        var crc = uint.MaxValue;
        foreach (var b in part)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
            }
        }
        return ~crc;
    }

    private static byte[] Segment(byte kind, byte[] content) =>
        [0xff, kind, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2), .. content];

    private static SKBitmap Seen(int width, int height)
    {
        var bitmap = new SKBitmap(width, height);
        using var canvas = new SKCanvas(bitmap);
        for (var i = 0; i < 4; i++)
        {
            using var paint = new SKPaint { Color = Quarters[i] };
            canvas.DrawRect(i % 2 * width / 2f, i / 2 * height / 2f, width / 2f, height / 2f, paint);
        }
        return bitmap;
    }

    private static byte[] Encode(SKBitmap bitmap, SKEncodedImageFormat format)
    {
        using var image = SKImage.FromBitmap(bitmap);
        using var data = image.Encode(format, 95);
        return data.ToArray();
    }
}
