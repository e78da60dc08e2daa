using SkiaSharp;

namespace Sankore.Bench;

/// <summary>The pages that everybody opens, on the full demo network: home, search; and pictures on their way in.</summary>
internal static class PagesBench
{
    public static async Task<int> Run()
    {
        Console.WriteLine($"pages: full demo network, {Environment.ProcessorCount} cores, client beside the server, one at a time");
        await using var server = await ServerProcess.Start("full");
        using var head = await Requests.Client(server, "head.s0001@sankore.test");
        using var admin = await Requests.Client(server, "admin.g001@sankore.test");
        using var super = await Requests.Client(server, "super@sankore.test");
        foreach (var (who, client, home) in new[] { ("head", head, "/"), ("administrator", admin, "/"), ("operator", super, "/admin") })
        {
            await Get($"home of the {who}, GET {home}", client, home);
            foreach (var words in new[] { "samba", "lycée moderne", "zzz" })
            {
                await Get($"search of the {who}, GET /search?q={words}", client, "/search?q=" + Uri.EscapeDataString(words));
            }
        }
        await Pictures(head);
        return 0;
    }

    private static Task Get(string what, HttpClient client, string path) =>
        Requests.Measure(what, 100, _ => client.GetStringAsync(new Uri(path, UriKind.Relative)));

    private static async Task Pictures(HttpClient head)
    {
        var random = new Random(1);
        var path = new Uri("/api/campaigns/pictures", UriKind.Relative);
        string? last = null;
        foreach (var (width, height) in new[] { (4000, 3000), (1600, 1200) })
        {
            var photos = Enumerable.Range(0, 21).Select(_ => Photo(width, height, random)).ToList();
            await Requests.Measure($"POST {path}, {width} × {height}, {photos[0].Length / 1024} KB", 20, async i =>
            {
                using var form = new MultipartFormDataContent { { new ByteArrayContent(photos[i]), "file", $"{i}.jpg" } };
                using var answer = await head.PostAsync(path, form);
                answer.EnsureSuccessStatusCode();
                last = System.Text.Json.JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("address").GetString();
            });
        }
        await Requests.Measure("GET /i/{id}", 200, _ => head.GetByteArrayAsync(new Uri(last!, UriKind.Relative)));
        await Requests.Measure("GET /i/{id}/small", 200, _ => head.GetByteArrayAsync(new Uri(last + "/small", UriKind.Relative)));
    }

    private static byte[] Photo(int width, int height, Random random)
    {
        using var bitmap = new SKBitmap(width, height);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColors.SkyBlue);
            for (var i = 0; i < 3000; i++)
            {
                using var paint = new SKPaint { Color = new SKColor((uint)random.Next() | 0xff000000) };
                canvas.DrawCircle(random.Next(width), random.Next(height), random.Next(4, 60), paint);
            }
        }
        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 88);
        return data.ToArray();
    }
}
