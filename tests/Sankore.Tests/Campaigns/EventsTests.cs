using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Campaigns;

namespace Sankore.Tests.Campaigns;

/// <summary>What providers tell: who may, what it makes of messages, in whatever order and however often it comes.</summary>
public sealed class EventsTests(EventsWorld world) : IClassFixture<EventsWorld>
{
    private const string Url = "/api/campaigns/events/";

    /// <summary>An event of the property: a kind, a minute, and who is named by it.</summary>
    private sealed record Told(string Kind, int Minute)
    {
        private static readonly string[] Codes = ["5.1.0", "5.1.1", "5.1.2", "5.1.6", "5.2.1"];

        public string Code => Codes[Minute];
    }

    [Fact]
    public async Task Our_own_form_tells_of_one_message_or_of_many_by_Message_ID_or_id()
    {
        using var nobody = world.Nobody();
        var (campaign, m) = await world.Sent("sent", "sent", "failed OUTCOME_UNKNOWN", "failed OUTCOME_UNKNOWN", "failed DEFERRED", "sent");

        (await nobody.Tell(new { messageId = $"<{m[0]}@sankore.test>", @event = "delivered", at = "2026-01-02T03:04:05Z" }).Json())
            .ToString().ShouldBe("""{"accepted":1,"ignored":0}""");
        var told = await nobody.Tell(new object[]
        {
            new { id = m[1], @event = "bounced", code = "5.1.1", detail = "nobody of that name" }, new { id = m[2], @event = "delivered" },
                new { id = m[3], @event = "bounced", code = "5.7.1" },
            new { id = m[4], @event = "delivered" }, new { id = m[5], @event = "deferred", code = "4.2.2" },
            new { id = m[5], @event = "vanished" }, new { id = Guid.NewGuid(), @event = "delivered" },
            new { messageId = "<x@y>", @event = "opened" }, new { },
        }).Json();

        told.ToString().ShouldBe("""{"accepted":5,"ignored":4}""");
        string[] lines = [.. await Task.WhenAll(m.Select(world.Line))];
        lines.ShouldBe(["delivered D", "bounced 5.1.1 |bounced", "delivered D", "bounced 5.7.1", "failed DEFERRED", "sent"]);
        (await world.Sql<DateTime>("select delivered_at from campaigns.emails_sent where id = @id", new { id = m[0] }))
            .ShouldBe(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        using var owner = await world.As(Delivered.Email);
        var figures = await owner.Ask(HttpMethod.Get, $"{Mailings.Api}/{campaign}/analytics").Json();
        (figures.Number("delivered"), figures.Number("bounced"), figures.Number("sent"), figures.Number("failed"),
            figures.Number("unknown")).ShouldBe((2, 2, 1, 1, 0));
    }

    [Fact]
    public async Task Whoever_has_not_the_key_tells_nothing()
    {
        using var nobody = world.Nobody();
        var (_, m) = await world.Sent("sent");
        var body = new { id = m[0], @event = "complained" };
        await nobody.Tell(body, "another-key-of-sixteen").ShouldRefuse(401, "SIGNATURE_INVALID");
        await nobody.Tell(body, at: DateTimeOffset.UtcNow.AddMinutes(-6)).ShouldRefuse(401, "SIGNATURE_INVALID");
        await nobody.Tell(body, at: DateTimeOffset.UtcNow.AddMinutes(6)).ShouldRefuse(401, "SIGNATURE_INVALID");
        string[] signatures =
        [
            "t=1,v1=", "v1=abc", "t=-9223372036854775808,v1=00", "nonsense", $"t={DateTimeOffset.UtcNow.ToUnixTimeSeconds()},v1=é",
        ];
        foreach (var signature in signatures)
        {
            await nobody.Tell(body, signature: Uri.EscapeDataString(signature)).ShouldRefuse(401, "SIGNATURE_INVALID");
        }
        await nobody.Ask(HttpMethod.Post, Url + "generic", body).ShouldRefuse(401, "SIGNATURE_INVALID");
        await nobody.Ask(HttpMethod.Post, Url + "mailgun", body).ShouldRefuse(401, "SIGNATURE_INVALID");
        await nobody.Ask(HttpMethod.Post, Url + "sendgrid", body).ShouldRefuse(401, "SIGNATURE_INVALID");
        await nobody.Ask(HttpMethod.Post, Url + "postmark", body).ShouldRefuse(404, "NOT_FOUND");
        (await world.Line(m[0])).ShouldBe("sent");
    }

    [Fact]
    public async Task What_is_no_JSON_or_too_much_is_refused()
    {
        using var nobody = world.Nobody();
        await nobody.Tell("{\"id\":").ShouldRefuse(400, "BAD_REQUEST");
        await nobody.Tell("[1, 2]").ShouldRefuse(400, "BAD_REQUEST");
        // Asked first whether it may send so much, the server says no before the body is under way.
        nobody.DefaultRequestHeaders.ExpectContinue = true;
        await nobody.Tell("\"" + new string('x', 1024 * 1024) + "\"").ShouldRefuse(413, "TOO_LARGE");
        nobody.DefaultRequestHeaders.ExpectContinue = false;
        (await nobody.Tell("[]").Json()).ToString().ShouldBe("""{"accepted":0,"ignored":0}""");
    }

    [Fact]
    public async Task Mailgun_tells_in_its_way()
    {
        using var nobody = world.Nobody();
        var (_, m) = await world.Sent("sent", "sent", "sent", "sent");
        (await Mailgun(nobody, m[0], "delivered", null).Json()).Number("accepted").ShouldBe(1);
        await Mailgun(nobody, m[1], "failed", "permanent").Json();
        await Mailgun(nobody, m[2], "failed", "temporary").Json();
        await Mailgun(nobody, m[3], "complained", null).Json();
        (await Mailgun(nobody, m[3], "accepted", null).Json()).Number("ignored").ShouldBe(1);
        await Mailgun(nobody, m[3], "unsubscribed", null, "wrong-key-of-the-tests").ShouldRefuse(401, "SIGNATURE_INVALID");
        string[] lines = [.. await Task.WhenAll(m.Select(world.Line))];
        lines.ShouldBe(["delivered D", "bounced 550 |bounced", "sent", "sent P |complained"]);
    }

    [Theory]
    [InlineData("suppress-unsubscribe", "bounced 550 U |unsubscribed"), InlineData("suppress-complaint", "bounced 550 P |complained")]
    [InlineData("suppress-bounce", "bounced 550 |bounced"), InlineData("generic", "bounced 550")]
    public async Task What_Mailgun_holds_back_is_what_it_holds_it_back_for(string reason, string line)
    {
        using var nobody = world.Nobody();
        var (_, m) = await world.Sent("sent");
        await Mailgun(nobody, m[0], "failed", "permanent", reason: reason, words: "Not delivering").Json();
        (await world.Line(m[0])).ShouldBe(line);
        using var owner = await world.As(Delivered.Email);
        var kept = await world.Sql<Guid?>(
            "select s.id from campaigns.suppressions s join campaigns.emails_sent e on e.recipient_email = s.email where e.id = @id"
            + " and s.reason <> 'bounced'", new { id = m[0] });
        if (kept is { } id)
        {
            await owner.Ask(HttpMethod.Delete, $"{Mailings.Api}/suppressions/{id}").ShouldRefuse(409, "SUPPRESSION_KEPT");
        }
    }

    [Fact]
    public async Task SendGrid_tells_in_its_way()
    {
        using var nobody = world.Nobody();
        var (_, m) = await world.Sent("sent", "sent", "sent", "sent", "sent", "sent", "sent", "sent");
        object Of(Guid message, string kind, string? type = null, string? reason = null) => new Dictionary<string, object?>
        {
            ["smtp-id"] = $"<{message}@sankore.test>",
            ["event"] = kind,
            ["type"] = type,
            ["reason"] = reason,
            ["timestamp"] = 1_767_323_045,
            ["sg_event_id"] = Guid.NewGuid().ToString(),
            ["status"] = kind == "bounce" ? "5.0.0" : null,
        };
        object[] events = [
            Of(m[0], "delivered"), Of(m[1], "bounce", "bounce"), Of(m[2], "bounce", "blocked"), Of(m[3], "spamreport"), Of(m[4], "click"),
            Of(m[5], "dropped", reason: "Bounced Address"), Of(m[5], "processed"),
            Of(m[6], "dropped", reason: "Unsubscribed Address"), Of(m[7], "dropped", reason: "Spam Reporting Address")];
        (await SendGrid(nobody, events).Json()).ToString().ShouldBe("""{"accepted":10,"ignored":1}""");
        string[] lines = [.. await Task.WhenAll(m.Select(world.Line))];
        lines.ShouldBe(
            ["delivered D", "bounced 5.0.0 |bounced", "bounced 5.0.0", "sent P |complained", "sent O C", "bounced BOUNCED |bounced",
                "bounced BOUNCED U |unsubscribed", "bounced BOUNCED P |complained"]);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await SendGrid(nobody, events, other).ShouldRefuse(401, "SIGNATURE_INVALID");
    }

    [Fact]
    public async Task Events_in_any_order_and_however_often_they_come_end_the_same()
    {
        using var nobody = world.Nobody();
        var one = from kind in Gen.Elements(DeliveryEvent.Kinds) from minute in Gen.Choose(1, 4) select new Told(kind, minute);
        var cases = from state in Gen.Elements(
            "sent", "delivered", "failed OUTCOME_UNKNOWN", "failed DEFERRED",
            "bounced 5.0.0")
                    from events in one.ListOf()
                    from seed in Gen.Choose(0, 1_000_000)
                    select (
                        state, events: events.Distinct().ToList(), seed);
        foreach (var (state, events, seed) in cases.Sample(60, 8))
        {
            var random = new System.Random(seed);
            // Some come again, all in any order, in requests of any size.
            var told = events.Concat(events.Where(_ => random.Next(2) == 0)).OrderBy(_ => random.Next()).ToList();
            var (_, m) = await world.Sent(state);
            while (told.Count > 0)
            {
                var some = told[..random.Next(1, told.Count + 1)];
                told.RemoveRange(0, some.Count);
                (await nobody.Tell(
                    some.Select(t => new { id = m[0], @event = t.Kind, at = At(t.Minute), code = t.Kind == "bounced" ? t.Code : null }))
                    .Json()).Number("accepted").ShouldBe(some.Count);
            }
            (await State(m[0])).ShouldBe(Oracle(state, events), $"{state}: {string.Join(", ", events)} ({seed})");
        }
    }

    [Fact]
    public async Task What_is_told_at_once_of_the_same_messages_ends_the_same()
    {
        var (campaign, m) = await world.Sent([.. Enumerable.Repeat("sent", 60)]);
        using var nobody = world.Nobody();
        var random = new System.Random(7);
        var requests = Enumerable.Range(0, 24)
            .Select(
            n => m.OrderBy(_ => random.Next()).Take(50)
            .Select(id => new { id, @event = DeliveryEvent.Kinds[n % 7], at = At(1 + (n % 4)), eventId = $"{n}/{id}" }).ToList()).ToList();
        await Task.WhenAll(requests.Select(r => nobody.Tell(r).Json()));
        foreach (var id in m)
        {
            (await State(id))
                .ShouldBe(
                    Oracle(
                        "sent", [.. requests.SelectMany((r, n) => r.Where(e => e.id == id).Select(e => new Told(e.@event, 1 + (n % 4))))],
                        coded: false));
        }
        (await world.Sql<bool>(
            "select (k.opened, k.complained) = (select count(opened_at)::int, count(complained_at)::int from campaigns.emails_sent"
            + " where campaign_id = @campaign) from campaigns.campaign_counts k where campaign_id = @campaign",
            new { campaign })).ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_told_before_the_message_has_left_waits_until_it_has()
    {
        using var nobody = world.Nobody();
        var (_, m) = await world.Sent("sending");
        (await nobody.Tell(new { id = m[0], @event = "delivered" }).Json()).Number("accepted").ShouldBe(1);
        (await world.Line(m[0])).ShouldBe("sending");
        await world.Execute("update campaigns.emails_sent set status = 'sent', sent_at = now() where id = @id", new { id = m[0] });
        await Waiting.Until(async () => await world.Line(m[0]) == "delivered D", "the event counts", 25);
    }

    [Fact]
    public async Task Whether_anybody_tells_is_known_to_pages()
    {
        world.App.Services.GetRequiredService<DeliverySources>().Any.ShouldBeTrue();
        await using var mute = new World();
        await mute.InitializeAsync();
        mute.App.Services.GetRequiredService<DeliverySources>().Any.ShouldBeFalse();
        using var nobody = mute.Nobody();
        await nobody.Tell(new { }).ShouldRefuse(404, "NOT_FOUND");
    }

    [Fact]
    public async Task A_campaigns_messages_are_listed_and_exported_to_its_user_alone()
    {
        var (campaign, m) = await world.Sent("sent", "sent", "failed OUTCOME_UNKNOWN");
        using var nobody = world.Nobody();
        await nobody.Tell(
            new object[] { new
            {
                id = m[1],
                @event = "bounced",
                code = "5.1.1",
                detail = "unknown",
            }, new { id = m[1], @event = "deferred", code = "4.2.2", at = "2026-01-01T00:00:00Z" } }).Json();
        using var owner = await world.As(Delivered.Email);
        using var other = await world.As(Cast.Admin1);
        var path = $"{Mailings.Api}/{campaign}/recipients";

        var list = await owner.Ask(HttpMethod.Get, path).Json();
        list.Number("total").ShouldBe(3);
        list.GetProperty("items").Texts("status").ShouldBe(["sent", "bounced", "failed"]);
        var bounced = (await owner.Ask(HttpMethod.Get, $"{path}?status=bounced").Json()).GetProperty("items").EnumerateArray().Single();
        (bounced.Text("code"), bounced.Text("error")).ShouldBe(("5.1.1", "unknown"));
        bounced.GetProperty("events").Texts("kind").ShouldBe(["deferred", "bounced"]);
        (await owner.Ask(HttpMethod.Get, $"{path}?q=.3@").Json()).GetProperty("items").Texts("code").ShouldBe(["OUTCOME_UNKNOWN"]);
        await owner.Ask(HttpMethod.Get, $"{path}?status=lost").ShouldRefuse(400, "VALIDATION_FAILED");
        using var csv = await owner.Ask(HttpMethod.Get, $"{path}/export?status=bounced");
        (await csv.Body()).Trim().Split('\n').Length.ShouldBe(2);
        using var xlsx = await owner.Ask(HttpMethod.Get, $"{path}/export?format=xlsx");
        xlsx.IsSuccessStatusCode.ShouldBeTrue();
        foreach (var url in new[] { path, $"{path}/export", $"{Mailings.Api}/{campaign}/links" })
        {
            using var refused = await other.Ask(HttpMethod.Get, url);
            ((int)refused.StatusCode).ShouldBeOneOf(403, 404);
        }
    }

    private static string At(int minute) => $"2026-01-01T00:0{minute}:00Z";

    /// <summary>What is to be true in the end, said of the set of events and not of any order.</summary>
    private static string Oracle(string state, List<Told> events, bool coded = true)
    {
        var hadLeft = state != "failed DEFERRED";
        int? First(params string[] kinds) => events.Where(e => kinds.Contains(e.Kind)).Select(e => (int?)e.Minute).Min();
        var (status, code) = (state.Split(' ')[0], state.Split(' ').ElementAtOrDefault(1));
        if (hadLeft && First("bounced") is { } bounce)
        {
            (status, code) = ("bounced", coded ? new Told("bounced", bounce).Code : "BOUNCED");
        }
        else if (hadLeft && status != "bounced" && First("delivered") is not null)
        {
            (status, code) = ("delivered", null);
        }
        var reason = new[] { "complained", "unsubscribed", "bounced" }.FirstOrDefault(k => First(k) is not null);
        return string.Join(
            ' ', status, code, hadLeft ? First("delivered")
            : null, First("opened", "clicked"), First("clicked"), First("unsubscribed"), First("complained"), reason);
    }

    private Task<string> State(Guid message) => world.Sql<string>("""
        select array_to_string(
            array[e.status, e.error_code, extract(minute from delivered_at)::text, extract(minute from opened_at)::text,
              extract(minute from clicked_at)::text, extract(minute from unsubscribed_at)::text,
          extract(minute from complained_at)::text, s.reason], ' ', '')
        from campaigns.emails_sent e left join campaigns.suppressions s on s.user_id = e.user_id and s.email = e.recipient_email
        where e.id = @message
        """, new { message });

    private static Task<HttpResponseMessage> Mailgun(
        HttpClient client, Guid message, string kind, string? severity, string key = EventsWorld.MailgunKey,
        string? reason = null, string words = "no such user")
    {
        var (time, token) = ("1767323045", Guid.NewGuid().ToString("N"));
        var signature = Convert.ToHexString(HMACSHA256.HashData(Encoding.ASCII.GetBytes(key), Encoding.ASCII.GetBytes(time + token)))
            .ToLowerInvariant();
        var data = new Dictionary<string, object?>
        {
            ["event"] = kind,
            ["severity"] = severity,
            ["reason"] = reason,
            ["id"] = Guid.NewGuid().ToString(),
            ["timestamp"] = 1767323045.25,
            ["message"] = new { headers = new Dictionary<string, string> { ["message-id"] = $"{message}@sankore.test" } },
            ["delivery-status"] = new { code = 550, message = words },
        };
        return client.Ask(
            HttpMethod.Post, Url + "mailgun",
            new Dictionary<string, object> { ["signature"] = new { timestamp = time, token, signature }, ["event-data"] = data });
    }

    private Task<HttpResponseMessage> SendGrid(HttpClient client, object[] events, ECDsa? key = null)
    {
        var (time, body) = ("1767323050", JsonSerializer.Serialize(events));
        var content = new StringContent(body, Encoding.UTF8, "application/json");
        content.Headers.Add("X-Twilio-Email-Event-Webhook-Timestamp", time);
        content.Headers.Add(
            "X-Twilio-Email-Event-Webhook-Signature",
            Convert.ToBase64String(
                (key ?? world.SendGrid)
                .SignData(Encoding.UTF8.GetBytes(time + body), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
        return client.Ask(HttpMethod.Post, Url + "sendgrid", content);
    }
}
