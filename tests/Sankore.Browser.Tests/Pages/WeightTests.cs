using System.IO.Compression;
using System.Text.RegularExpressions;

namespace Sankore.Browser.Tests.Pages;

/// <summary>What a visit costs on a slow and dear connection (design/ui.md).</summary>
public sealed partial class WeightTests(Published program, Chrome chrome, ITestOutputHelper output) : IClassFixture<Published>
{
    private const int Kilo = 1024;

    [Theory, InlineData("app", "css", 14), InlineData("live", "js", 6), InlineData("passkeys", "js", 2)]
    public async Task The_stylesheet_and_the_script_are_small(string name, string kind, int most)
    {
        // By its name, where passkeys are.
        using var client = new HttpClient { BaseAddress = new UriBuilder(program.Address) { Host = "localhost" }.Uri };
        var page = await client.GetStringAsync("/login");
        var path = Asset().Matches(page).Select(m => m.Value)
            .Single(p => p.StartsWith($"/{name}.", StringComparison.Ordinal) && p.EndsWith(kind, StringComparison.Ordinal));
        var size = Brotli(await client.GetByteArrayAsync(path));
        output.WriteLine($"{path}: {size} bytes with Brotli");
        size.ShouldBeLessThanOrEqualTo(most * Kilo);
    }

    [Theory, InlineData(Cast.HeadOnPremium, "/", "/plan"), InlineData(Cast.Super, "/admin/modules", "/admin/categories"),
        InlineData(Cast.Super, "/admin", "/admin/people"), InlineData("head.s0004@sankore.test", "/plan", "/"),
        InlineData(Cast.Super, "/admin/modules/new", "/admin/audit")]
    public async Task A_first_visit_is_light_and_a_later_page_lighter(string email, string first, string later)
    {
        await using var person = await chrome.Open(program.Address, email);
        var scale = await Scale.Under(person);

        await person.Watch(first);
        var firstWeight = scale.Read();
        await person.Watch(later);
        var laterWeight = scale.Read();

        output.WriteLine($"{first}: {firstWeight} bytes; then {later}: {laterWeight} bytes. {scale}");
        firstWeight.ShouldBeLessThanOrEqualTo(40 * Kilo);
        laterWeight.ShouldBeLessThanOrEqualTo(10 * Kilo);
    }

    [Fact]
    public async Task The_editors_page_may_weigh_more_once()
    {
        await using var person = await chrome.Open(program.Address, Cast.HeadOnPremium);
        await person.Watch("/campaigns/list");
        var scale = await Scale.Under(person);
        await person.Page.GotoAsync("/campaigns/templates/new");
        await Expect(person.Page.Locator("[data-ready]")).ToHaveCountAsync(1);
        var first = scale.Read();
        await person.Page.GotoAsync("/campaigns/templates/new?start=letter");
        await Expect(person.Page.Locator("[data-ready]")).ToHaveCountAsync(1);
        var later = scale.Read();

        output.WriteLine($"the editor: {first} bytes, then {later}. {scale}");
        first.ShouldBeLessThanOrEqualTo(250 * Kilo);
        later.ShouldBeLessThanOrEqualTo(20 * Kilo);
    }

    private static int Brotli(byte[] bytes)
    {
        var compressed = new byte[BrotliEncoder.GetMaxCompressedLength(bytes.Length)];
        BrotliEncoder.TryCompress(bytes, compressed, out var size, quality: 11, window: 22).ShouldBeTrue();
        return size;
    }

    [GeneratedRegex("""(?<=(?:href|src)=")/[^"]+""")]
    private static partial Regex Asset();

    /// <summary>Weighs what comes over the wire, headers and all; the stream, which does not end, apart.</summary>
    private sealed class Scale
    {
        private readonly Dictionary<string, string> _urls = [];
        private readonly List<(string Url, double Bytes)> _finished = [];
        private int _read;

        public static async Task<Scale> Under(Person person)
        {
            var scale = new Scale();
            var wire = await person.Context.NewCDPSessionAsync(person.Page);
            wire.Event("Network.requestWillBeSent")
                .OnEvent += (_, e) => scale._urls[e!.Value.GetProperty("requestId").GetString()!] = e.Value.GetProperty("request")
                .GetProperty("url").GetString()!;
            wire.Event("Network.loadingFinished").OnEvent += (_, e) =>
            {
                // A document that was written into a frame finishes too, and was never asked for.
                if (scale._urls.TryGetValue(e!.Value.GetProperty("requestId").GetString()!, out var url))
                {
                    scale._finished.Add((url, e.Value.GetProperty("encodedDataLength").GetDouble()));
                }
            };
            await wire.SendAsync("Network.enable");
            return scale;
        }

        /// <summary>Bytes since the last reading.</summary>
        public int Read()
        {
            var bytes = _finished.Skip(_read).Sum(f => f.Bytes);
            _read = _finished.Count;
            return (int)bytes;
        }

        public override string ToString() => string.Join(", ", _finished.Select(f => $"{f.Url} {f.Bytes}"));
    }
}
