using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Sankore.Platform.Files;
using Sankore.Platform.Security;
using SkiaSharp;

namespace Sankore.Tests.Platform;

/// <summary>Pictures as they are kept: upright, small enough, and without what the camera wrote.</summary>
public sealed class PictureTests
{
    private static readonly PictureKind[] Kinds = [PictureKind.Message, PictureKind.Logo, PictureKind.Photo];

    [Fact]
    public void However_it_was_held_a_photo_is_upright_and_says_nothing_of_the_camera()
    {
        var cases =
            from width in Gen.Choose(2, 1500)
            from height in Gen.Choose(2, 1500)
            from orientation in Gen.Choose(1, 8)
            from kind in Gen.Elements(Kinds)
            select (width, height, orientation, kind);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var picture = Read(PictureFiles.Photo(c.width, c.height, c.orientation, "Lycée, 14 mars"), c.kind);
            picture.MediaType.ShouldBe("image/jpeg");
            Fits(picture, c.width, c.height, c.kind);
            Encoding.Latin1.GetString(picture.Content).ShouldNotContain("Exif");
            Encoding.UTF8.GetString(picture.Content).ShouldNotContain("14 mars");
            using var shown = SKBitmap.Decode(picture.Content);
            if (shown.Width >= 16 && shown.Height >= 16 && !c.kind.IsCut)
            {
                Corners(shown).ShouldBe(PictureFiles.Quarters.Select(Nearest));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Effort.Of(10, 60)));
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Png), InlineData(SKEncodedImageFormat.Webp), InlineData(SKEncodedImageFormat.Jpeg)]
    public void Each_kind_of_file_comes_in_and_none_is_made_larger(SKEncodedImageFormat format)
    {
        foreach (var (width, height) in new[] { (1, 1), (3000, 20), (20, 3000), (640, 480), (4000, 3000) })
        {
            foreach (var kind in Kinds)
            {
                Fits(Read(PictureFiles.Of(width, height, format), kind), width, height, kind);
            }
        }
    }

    [Fact]
    public void What_is_see_through_stays_so_unless_it_would_be_heavy()
    {
        using var drawn = new SKBitmap(300, 100);
        using (var canvas = new SKCanvas(drawn))
        {
            canvas.Clear(SKColors.Transparent);
            canvas.DrawCircle(50, 50, 40, new SKPaint { Color = SKColors.Green });
        }
        var logo = Read(Png(drawn), PictureKind.Logo);
        logo.MediaType.ShouldBe("image/png");
        using (var shown = SKBitmap.Decode(logo.Content))
        {
            (shown.GetPixel(0, 0).Alpha, shown.GetPixel(50 * shown.Width / 300, shown.Height / 2).Alpha).ShouldBe(((byte)0, (byte)255));
        }

        using var noise = new SKBitmap(1200, 1200);
        var random = new Random(4);
        for (var i = 0; i < 1200 * 1200; i++)
        {
            noise.SetPixel(i % 1200, i / 1200, new SKColor((uint)random.NextInt64(0, uint.MaxValue)));
        }
        var heavy = Read(Png(noise), PictureKind.Message);
        heavy.MediaType.ShouldBe("image/jpeg");
    }

    [Theory]
    [InlineData("pas une image", "picture.kind")]
    [InlineData("", "picture.kind")]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>", "picture.kind")]
    [InlineData("%PDF-1.7\n%âãÏÓ", "picture.kind")]
    [InlineData("GIF89a", "picture.kind")]
    public async Task What_is_no_picture_is_refused_by_name(string content, string why) =>
        (await Refused(Encoding.Latin1.GetBytes(content))).Fields["file"].Key.ShouldBe(why);

    [Fact]
    public async Task What_is_cut_off_or_far_too_large_is_refused_by_name()
    {
        (await Refused(PictureFiles.Of(400, 300)[..^200])).Fields["file"].Key.ShouldBe("picture.broken");
        (await Refused(PictureFiles.Of(400, 300, SKEncodedImageFormat.Jpeg)[..600])).Fields["file"].Key
            .ShouldBeOneOf("picture.broken", "picture.kind");
        (await Refused(PictureFiles.Bomb())).Fields["file"].Key.ShouldBe("picture.pixels");
        var large = await Refused(new byte[PictureFile.MaxBytes + 1]);
        (large.Reason, large.Fields["file"].Key).ShouldBe((Reason.TooLarge, "picture.large"));
    }

    private static void Fits(PictureFile picture, int width, int height, PictureKind kind)
    {
        using var shown = SKBitmap.Decode(picture.Content);
        using var small = SKBitmap.Decode(picture.Small);
        (shown.Width, shown.Height).ShouldBe((picture.Width, picture.Height));
        shown.Width.ShouldBeLessThanOrEqualTo(Math.Min(kind.Width, width));
        shown.Height.ShouldBeLessThanOrEqualTo(Math.Min(kind.Height, height));
        small.Width.ShouldBeLessThanOrEqualTo(kind.SmallWidth);
        small.Height.ShouldBeLessThanOrEqualTo(kind.SmallHeight);
        if (!kind.IsCut)
        {
            // As wide for its height as it was, to a pixel.
            Math.Abs(shown.Width * (double)height / width - shown.Height).ShouldBeLessThanOrEqualTo(1 + (double)height / width);
        }
    }

    private static PictureFile Read(byte[] file, PictureKind kind) =>
        PictureFile.Read(new MemoryStream(file), kind, TestContext.Current.CancellationToken).GetAwaiter().GetResult();

    private static Task<Refusal> Refused(byte[] file) => Should.ThrowAsync<Refusal>(
        () => PictureFile.Read(new MemoryStream(file), PictureKind.Message, TestContext.Current.CancellationToken));

    private static byte[] Png(SKBitmap bitmap)
    {
        using var image = SKImage.FromBitmap(bitmap);
        using var data = image.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private static IEnumerable<string> Corners(SKBitmap shown)
    {
        var (x, y) = (shown.Width / 4, shown.Height / 4);
        return new[] { (x, y), (3 * x, y), (x, 3 * y), (3 * x, 3 * y) }.Select(at => Nearest(shown.GetPixel(at.Item1, at.Item2)));
    }

    private static string Nearest(SKColor color) =>
        (color.Red > 127, color.Green > 127, color.Blue > 127) switch
        {
            (true, false, false) => "red",
            (false, true, false) => "green",
            (false, false, true) => "blue",
            (true, true, false) => "yellow",
            _ => color.ToString(),
        };
}
