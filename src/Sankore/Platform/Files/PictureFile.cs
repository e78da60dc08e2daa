using System.Security.Cryptography;
using Sankore.Platform.Security;
using SkiaSharp;

namespace Sankore.Platform.Files;

/// <summary>What a picture is for: how large it is kept, and who loads it.</summary>
/// <param name="Name">As the database has it: <c>util.pictures.kind</c>.</param>
/// <param name="Width">The most, in pixels.</param>
/// <param name="Height">The most, in pixels.</param>
/// <param name="SmallWidth">The same of the small one, for lists and heads of pages.</param>
/// <param name="SmallHeight">The same of the small one.</param>
/// <param name="IsCut">Whether what does not fit is cut off at the edges; otherwise all of it is shown.</param>
public sealed record PictureKind(string Name, int Width, int Height, int SmallWidth, int SmallHeight, bool IsCut = false)
{
    /// <summary>Of a message: as sharp as a mail on a good screen needs. Everybody who has the message loads it.</summary>
    public static PictureKind Message { get; } = new("message", 1200, 1200, 320, 240);

    /// <summary>Of a group or a school. Everybody loads it.</summary>
    public static PictureKind Logo { get; } = new("logo", 480, 160, 160, 64);

    /// <summary>Of a person. Only who sees the person loads it.</summary>
    public static PictureKind Photo { get; } = new("photo", 256, 256, 80, 80, IsCut: true);
}

/// <summary>
/// A picture as it is kept: upright, no larger than its kind, and without what cameras write into files (where, when, with what).
/// </summary>
/// <param name="MediaType"><c>image/jpeg</c>, or <c>image/png</c> for what is see-through or drawn.</param>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Content">The picture.</param>
/// <param name="Small">The small one, of the same media type.</param>
/// <param name="Source">The hash of the file it was made of.</param>
public sealed record PictureFile(string MediaType, int Width, int Height, byte[] Content, byte[] Small, byte[] Source)
{
    /// <summary>The largest file that is taken, in bytes: a telephone's best photo.</summary>
    public const int MaxBytes = 15 * 1024 * 1024;

    /// <summary>A file is larger than <see cref="MaxBytes"/>.</summary>
    internal static Refusal TooLarge => new(Reason.TooLarge)
    {
        Fields = new Dictionary<string, FieldError> { ["file"] = new("picture.large", MaxBytes / 1024 / 1024) },
    };

    /// <summary>What a file field offers: telephones turn their own kinds into these.</summary>
    public const string Accepted = "image/jpeg,image/png,image/webp,image/gif";

    // A file of a few bytes may unfold into gigabytes. A JPEG is made smaller while it is read.
    private const int MaxMegapixels = 32, MaxMegapixelsOfJpeg = 64;
    private const int MaxPngBytes = 500 * 1024;
    private const int JpegQuality = 82;

    private static readonly SKSamplingOptions Smooth = new(SKFilterMode.Linear, SKMipmapMode.Linear);

    // One at a time, from its first byte: a picture takes some bytes a pixel while it is made smaller.
    private static readonly SemaphoreSlim Turn = new(1);

    /// <summary>
    /// Reads a picture and makes it smaller. Refuses with VALIDATION_FAILED beside <c>file</c> (no picture, a kind that browsers or mail
    /// programs do not show, cut off, too many pixels) and TOO_LARGE.
    /// </summary>
    /// <param name="file">JPEG, PNG, WebP or GIF, of which the first picture is taken. Can be sought in.</param>
    /// <param name="kind">What it is for.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<PictureFile> Read(Stream file, PictureKind kind, CancellationToken ct)
    {
        if (file.Length > MaxBytes)
        {
            throw TooLarge;
        }
        await Turn.WaitAsync(ct);
        try
        {
            var bytes = new byte[file.Length];
            await file.ReadExactlyAsync(bytes, ct);
            return await Task.Run(() => Made(bytes, kind), ct);
        }
        finally
        {
            Turn.Release();
        }
    }

    /// <summary>The same of a form's file.</summary>
    public static async Task<PictureFile> Read(IFormFile file, PictureKind kind, CancellationToken ct)
    {
        await using var stream = file.OpenReadStream();
        return await Read(stream, kind, ct);
    }

    private static PictureFile Made(byte[] bytes, PictureKind kind)
    {
        using var data = SKData.CreateCopy(bytes);
        using var codec = SKCodec.Create(data);
        if (codec is null || codec.Info is not { Width: > 0, Height: > 0 }
            || codec.EncodedFormat is not (
                SKEncodedImageFormat.Jpeg or SKEncodedImageFormat.Png or SKEncodedImageFormat.Webp or SKEncodedImageFormat.Gif))
        {
            throw Wrong("picture.kind");
        }
        var most = codec.EncodedFormat == SKEncodedImageFormat.Jpeg ? MaxMegapixelsOfJpeg : MaxMegapixels;
        if ((long)codec.Info.Width * codec.Info.Height > most * 1_000_000L)
        {
            throw Wrong("picture.pixels", most);
        }
        using var source = Decoded(codec, kind);
        using var large = Fitted(source, codec.EncodedOrigin, kind.Width, kind.Height, kind.IsCut);
        using var small = Fitted(large, SKEncodedOrigin.TopLeft, kind.SmallWidth, kind.SmallHeight, kind.IsCut);
        var png = codec.EncodedFormat == SKEncodedImageFormat.Jpeg ? null : Encoded(large, SKEncodedImageFormat.Png);
        var isSeeThrough = png is not null && IsSeeThrough(large);
        var jpeg = isSeeThrough && png!.Length <= MaxPngBytes ? null : Encoded(large, SKEncodedImageFormat.Jpeg);
        var isPng = png is not null && (jpeg is null || !isSeeThrough && png.Length <= jpeg.Length);
        return new PictureFile(
            isPng ? "image/png" : "image/jpeg", large.Width, large.Height, isPng ? png! : jpeg!,
            Encoded(small, isPng ? SKEncodedImageFormat.Png : SKEncodedImageFormat.Jpeg), SHA256.HashData(bytes));
    }

    /// <summary>The picture as its file has it; of a large photograph no more than is needed.</summary>
    private static SKBitmap Decoded(SKCodec codec, PictureKind kind)
    {
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        // For either way up, and twice as fine, so that making it smaller has something to choose from.
        var needed = 2f * Math.Max(kind.Width, kind.Height) / Math.Min(width, height);
        var size = needed < 1 ? codec.GetScaledDimensions(needed) : new SKSizeI(width, height);
        var bitmap = Blank(size.Width, size.Height);
        if (codec.GetPixels(bitmap.Info, bitmap.GetPixels()) == SKCodecResult.Success)
        {
            return bitmap;
        }
        bitmap.Dispose();
        throw Wrong("picture.broken");
    }

    private static SKBitmap Blank(int width, int height) =>
        new(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Premul, SKColorSpace.CreateSrgb()));

    private static SKBitmap Fitted(SKBitmap source, SKEncodedOrigin origin, int maxWidth, int maxHeight, bool isCut)
    {
        var isTurned = origin is SKEncodedOrigin.LeftTop or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom
            or SKEncodedOrigin.LeftBottom;
        var (width, height) = isTurned ? (source.Height, source.Width) : (source.Width, source.Height);
        var (across, down) = ((float)maxWidth / width, (float)maxHeight / height);
        // Never larger than it is.
        var scale = Math.Min(1, isCut ? Math.Max(across, down) : Math.Min(across, down));
        var fitted = Blank(
            Math.Clamp((int)MathF.Round(width * scale), 1, maxWidth), Math.Clamp((int)MathF.Round(height * scale), 1, maxHeight));
        using var canvas = new SKCanvas(fitted);
        // What may yet change would be copied.
        source.SetImmutable();
        using var image = SKImage.FromBitmap(source);
        canvas.Clear(SKColors.Transparent);
        canvas.Translate((fitted.Width - width * scale) / 2, (fitted.Height - height * scale) / 2);
        canvas.Scale(scale);
        canvas.Concat(Upright(origin, source.Width, source.Height));
        canvas.DrawImage(image, 0, 0, Smooth);
        return fitted;
    }

    /// <summary>Turns what the camera held on its side (EXIF 2.32, 4.6.4, <c>Orientation</c>).</summary>
    private static SKMatrix Upright(SKEncodedOrigin origin, int width, int height) => origin switch
    {
        SKEncodedOrigin.TopRight => new SKMatrix(-1, 0, width, 0, 1, 0, 0, 0, 1),
        SKEncodedOrigin.BottomRight => new SKMatrix(-1, 0, width, 0, -1, height, 0, 0, 1),
        SKEncodedOrigin.BottomLeft => new SKMatrix(1, 0, 0, 0, -1, height, 0, 0, 1),
        SKEncodedOrigin.LeftTop => new SKMatrix(0, 1, 0, 1, 0, 0, 0, 0, 1),
        SKEncodedOrigin.RightTop => new SKMatrix(0, -1, height, 1, 0, 0, 0, 0, 1),
        SKEncodedOrigin.RightBottom => new SKMatrix(0, -1, height, -1, 0, width, 0, 0, 1),
        SKEncodedOrigin.LeftBottom => new SKMatrix(0, 1, 0, -1, 0, width, 0, 0, 1),
        _ => SKMatrix.Identity,
    };

    private static bool IsSeeThrough(SKBitmap bitmap)
    {
        var pixels = bitmap.GetPixelSpan();
        for (var i = 3; i < pixels.Length; i += 4)
        {
            if (pixels[i] < 250)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>As a file; what is see-through is white in a JPEG.</summary>
    private static byte[] Encoded(SKBitmap bitmap, SKEncodedImageFormat format)
    {
        using var opaque = new SKBitmap(bitmap.Info);
        using (var canvas = new SKCanvas(opaque))
        {
            canvas.Clear(format == SKEncodedImageFormat.Jpeg ? SKColors.White : SKColors.Transparent);
            canvas.DrawBitmap(bitmap, 0, 0, SKSamplingOptions.Default);
        }
        using var image = SKImage.FromBitmap(opaque);
        using var data = image.Encode(format, JpegQuality);
        return data.ToArray();
    }

    private static Refusal Wrong(string key, params object[] args) =>
        new(Reason.Invalid) { Fields = new Dictionary<string, FieldError> { ["file"] = new(key, args) } };
}
