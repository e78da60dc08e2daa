using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sankore.Ui;

namespace Sankore.Browser.Tests.Live;

/// <summary>What the script makes of a figure is what the server makes of it: a page patched and a page read again look the same.</summary>
public sealed class FormatTests(FormatTests.Figures world, Chrome chrome) : IClassFixture<FormatTests.Figures>
{
    private static readonly double[] Numbers =
        [0, 0.04, 0.25, 0.5, 9.96, 12.4, 12.5, 999, 1000, 25_000, 1_234_567.8, 9_007_199_254_740_992, 1e300, -5];
    private static readonly decimal?[] Percents = [null, 0, 0.04m, 12.5m, 33.3m, 66.65m, 99.95m, 100];
    private static readonly int?[] Durations = [null, 0, 59, 60, 77, 3599, 3600, 3661, 100_000];
    private static readonly DateTime[] Moments = [
        .. Enumerable.Range(1, 12).Select(month => new DateTime(2025, month, month, 3 * month % 24, 7, 9, DateTimeKind.Utc)),
        new(2025, 12, 31, 23, 30, 0, DateTimeKind.Utc)];

    [Theory, InlineData("fr"), InlineData("en")]
    public async Task The_script_writes_figures_and_times_as_the_server_does(string language)
    {
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(language);
        (string Format, object? Value, string Text)[] cases =
        [
            .. Numbers.Select(n => ("number", (object?)n, Format.Figure(n))),
            .. Percents.Select(p => ("percent", (object?)p, Format.Percent(p))),
            .. Durations.Select(s => ("duration", (object?)s, Format.Duration(s))),
            .. Moments.Select(m => ("moment", (object?)m, Format.Moment(m))), .. Moments.Select(m => ("time", (object?)m, Format.Time(m))),
        ];
        var fields = string.Concat(cases.Select((c, i) => $"<p data-field=\"f{i}\" data-format=\"{c.Format}\">?</p>"));
        world.Page = $"""
            <!DOCTYPE html><html lang="{language}">
            <head><meta charset="utf-8"><title>Formats</title><script src="/live.js" defer></script></head>
            <body data-position="{await world.Sql<long>("select live.position()")}">
            <p class="live" data-state="off" data-on="on" data-wait="wait"><span>off</span></p>
            <main data-row="public.figures:1">{fields}</main></body></html>
            """;
        await using var head = await chrome.Open(world.Address, Cast.HeadOnPremium, new Look(language));
        var page = await head.Watch("/formats");
        await world.Execute("select live.publish('public.figures', 'UPDATE', '1', @row::jsonb, array['user:' || @id])", new
        {
            id = await world.IdOf(Cast.HeadOnPremium),
            row = JsonSerializer.Serialize(cases.Select((c, i) => (c, i)).ToDictionary(x => $"f{x.i}", x => x.c.Value)),
        });
        await Expect(page.GetByText("?", new PageGetByTextOptions { Exact = true })).ToHaveCountAsync(0);
        var shown = await page.EvaluateAsync<string[]>("[...document.querySelectorAll('main p')].map(p => p.textContent)");
        shown.Select((text, i) => $"{cases[i].Format} {cases[i].Value}: {text}")
            .ShouldBe(cases.Select(c => $"{c.Format} {c.Value}: {c.Text}"));
        Format.Number(25_000).ShouldBe(language == "fr" ? "25\u202f000" : "25,000");
        (Format.Duration(77), Format.Percent(12.5m)).ShouldBe(("1 min 17 s", language == "fr" ? "12,5\u202f%" : "12.5%"));
        head.Errors.ShouldBeEmpty();
    }

    /// <summary>A world with a page of the test's own.</summary>
    public sealed class Figures : World
    {
        public string Page { get; set; } = "";

        protected override void Map(WebApplication app) =>
            app.MapGet("/formats", () => Results.Content(Page, "text/html; charset=utf-8")).RequireAuthorization();
    }
}
