using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Sankore.Client;
using static Sankore.Tests.Client.SseStub;

namespace Sankore.Tests.Client;

/// <summary>What the client library makes of a server in trouble.</summary>
public sealed class ReconnectTests
{
    private const string Now = "9223372036854775807";
    private readonly FakeTime _time = new();

    [Theory]
    [InlineData(429, "7")]
    [InlineData(503, "7")]
    [InlineData(503, "Thu, 01 Jan 2026 00:00:07 GMT")]
    public async Task A_busy_server_is_left_alone_as_long_as_it_asks_for(int status, string retryAfter)
    {
        await using var stub = await Start(Answers(status, retryAfter), Stays(SseStub.Reset(1)));
        await using var reader = FeedReader.Of(stub.Address, time: _time);
        await reader.Loses(1);
        var wait = reader.Losses[0].RetryIn;
        wait.ShouldBeInRange(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(8));
        reader.Losses[0].Reason.ShouldContain(status.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await _time.Waited(wait);
        _time.Advance(TimeSpan.FromSeconds(6.9));
        stub.Positions.Count.ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(1.1));
        await reader.Gets(1);
        stub.Positions.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Nobody_is_sent_away_for_more_than_a_day()
    {
        await using var stub = await Start(Answers(503, "2000000000"), Says("retry: 900000000000\n\n"));
        await using var reader = FeedReader.Of(stub.Address, time: _time);
        foreach (var losses in new[] { 1, 2 })
        {
            await reader.Loses(losses);
            reader.Losses[^1].RetryIn.ShouldBe(TimeSpan.FromDays(1));
            await _time.Waited(TimeSpan.FromDays(1));
            _time.Advance(TimeSpan.FromDays(1));
        }
        await Waiting.Until(() => stub.Positions.Count == 3, "it comes back");
    }

    [Fact]
    public async Task A_stream_that_ended_is_opened_again_after_the_time_that_the_server_named()
    {
        await using var stub = await Start(Says("retry: 5000\n\n" + Change(7)), Stays(""));
        await using var reader = FeedReader.Of(stub.Address, time: _time);
        await reader.Loses(1);
        reader.Losses[0].ShouldBe(new Disconnected("the server ended the stream", TimeSpan.FromSeconds(5), null));
        await _time.Waited(TimeSpan.FromSeconds(5));
        _time.Advance(TimeSpan.FromSeconds(5));
        await Waiting.Until(() => reader.States.Count == 3, "the next connection");
        reader.States.ShouldBe([new Connected(null), reader.Losses[0], new Connected(7)]);
        stub.Positions.ShouldBe([Now, "7"]);
    }

    [Fact]
    public async Task Every_failure_doubles_the_bound_of_the_wait_up_to_the_most()
    {
        await using var stub = await Start(Answers(500));
        await using var reader = FeedReader.Of(stub.Address, time: _time);
        foreach (var (failures, most) in new[] { (1, 2), (2, 4), (3, 8), (4, 16), (5, 31), (6, 31), (7, 31) })
        {
            await reader.Loses(failures);
            var wait = reader.Losses[^1].RetryIn;
            wait.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(most));
            await _time.Waited(wait);
            _time.Advance(wait);
        }
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_tried_until_it_is()
    {
        Uri address;
        await using (var gone = await Start(Says("")))
        {
            address = gone.Address;
        }
        await using var reader = FeedReader.Of(address);
        await reader.Loses(3);
        reader.Losses.ShouldAllBe(l => l.Error is HttpRequestException);
        reader.Ended.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_connection_without_a_byte_for_a_minute_is_dead_and_comments_are_bytes()
    {
        var more = Channel.CreateUnbounded<string>();
        await using var stub = await Start(Stays("retry: 2000\n\n" + Change(7), more.Reader), Stays(Change(8)));
        await using var reader = FeedReader.Of(stub.Address, time: _time);
        await reader.Gets(1);
        await _time.Waited(TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromSeconds(59));
        more.Writer.TryWrite(": still here\n\n");
        await _time.Waited(TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromSeconds(59));
        reader.Losses.ShouldBeEmpty();
        _time.Advance(TimeSpan.FromSeconds(1));
        await reader.Loses(1);
        reader.Losses[0].Reason.ShouldBe("nothing came for 60 s");
        await _time.Waited(TimeSpan.FromSeconds(2));
        _time.Advance(TimeSpan.FromSeconds(2));
        await reader.Gets(2);
        reader.Positions.ShouldBe([7, 8]);
    }

    [Fact]
    public async Task A_server_that_takes_the_request_and_says_nothing_is_dead_too()
    {
        await using var stub = await Start(context =>
            Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default), Stays(Change(8)));
        await using var reader = FeedReader.Of(stub.Address, time: _time);
        await Waiting.Until(() => stub.Positions.Count == 1, "the request has come");
        await _time.Waited(TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromSeconds(60));
        await reader.Loses(1);
        await _time.Waited(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(2));
        await reader.Gets(1);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_reader_who_takes_an_hour_is_no_silence()
    {
        var more = Channel.CreateUnbounded<string>();
        await using var stub = await Start(Stays(Change(7), more.Reader));
        using var http = new HttpClient { BaseAddress = stub.Address };
        var losses = 0;
        var feed = new LiveFeed(http, new LiveFeedOptions { Time = _time, OnState = state => losses += state is Disconnected ? 1 : 0 });
        await using var events = feed.Read(TestContext.Current.CancellationToken).GetAsyncEnumerator();
        await events.MoveNextAsync();
        _time.Advance(TimeSpan.FromHours(1));
        more.Writer.TryWrite(Change(8));
        await events.MoveNextAsync();
        (events.Current.Position, losses).ShouldBe((8, 0));
    }

    [Fact]
    public async Task What_came_before_does_not_come_twice()
    {
        await using var stub =
            await Start(Says(Change(5) + Change(5) + Change(4) + Change(90)), Stays(Change(5) + Change(90) + Change(91)));
        await using var reader = FeedReader.Of(stub.Address);
        await reader.Gets(3);
        reader.Positions.ShouldBe([5, 90, 91]);
        stub.Positions.ShouldBe([Now, "90"]);
    }

    [Fact]
    public async Task An_event_that_was_cut_off_is_asked_for_again()
    {
        await using var stub = await Start(Says(Change(5) + Change(6)[..^10]), Says(Change(6) + Change(7)[..^1]), Stays(Change(7)));
        await using var reader = FeedReader.Of(stub.Address);
        await reader.Gets(3);
        reader.Positions.ShouldBe([5, 6, 7]);
        stub.Positions.ShouldBe([Now, "5", "6"]);
    }

    [Fact]
    public async Task What_this_version_does_not_know_is_passed_over()
    {
        await using var stub = await Start(Stays(": hello\n\nid: 4\nevent: weather\ndata: sunny\n\nid: 5\ndata: no type\n\n" + Change(6)));
        await using var reader = FeedReader.Of(stub.Address);
        await reader.Gets(1);
        reader.Positions.ShouldBe([6]);
    }

    [Fact]
    public async Task A_reset_comes_with_its_spread_and_may_go_back()
    {
        // The database behind the server was restored: it begins to count where it was.
        await using var stub = await Start(Says(Change(500)), Stays(SseStub.Reset(20, 10_000) + Change(21)));
        var cursor = new MemoryCursorStore();
        await using var reader = FeedReader.Of(stub.Address, cursor: cursor);
        await reader.Gets(3);
        reader.Events[1].ShouldBe(new Reset(20, TimeSpan.FromSeconds(10)));
        reader.Positions.ShouldBe([500, 20, 21]);
        await Waiting.Until(async () => await cursor.Load(default) == 21, "the position is stored");
    }

    [Theory]
    [InlineData("id: 7\nevent: change\ndata: {\"table\":\n\n")]
    [InlineData("id: 7\nevent: change\ndata: null\n\n")]
    [InlineData("id: 7\nevent: change\ndata: {}\n\n")]
    [InlineData("id: 7\nevent: change\ndata: {\"table\":null,\"op\":\"UPDATE\",\"id\":\"1\",\"at\":\"2026-01-01T00:00:00Z\"}\n\n")]
    [InlineData("id: 7\nevent: change\ndata: {\"table\":\"t\",\"op\":\"TRUNCATE\",\"id\":\"1\",\"at\":\"2026-01-01T00:00:00Z\"}\n\n")]
    [InlineData("id: 7\nevent: change\ndata: {\"table\":\"t\",\"op\":1,\"id\":\"1\",\"at\":\"2026-01-01T00:00:00Z\"}\n\n")]
    [InlineData("id: 7\nevent: change\ndata: {\"table\":\"t\",\"op\":\"UPDATE\",\"id\":\"1\",\"at\":\"yesterday\"}\n\n")]
    [InlineData("id: seven\nevent: change\ndata: {\"table\":\"t\",\"op\":\"UPDATE\",\"id\":\"1\",\"at\":\"2026-01-01T00:00:00Z\"}\n\n")]
    [InlineData("id: 7\nevent: reset\ndata: {}\n\n")]
    [InlineData("id: 7\nevent: reset\ndata: \n\n")]
    [InlineData("id: 7\nevent: reset\ndata: {\"spread\":99999999999}\n\n")]
    public async Task What_is_no_event_ends_the_feed_and_what_came_before_it_counts(string broken)
    {
        var cursor = new MemoryCursorStore();
        await using var stub = await Start(Stays(Change(6) + broken));
        await using var reader = FeedReader.Of(stub.Address, cursor: cursor);
        var error = await Should.ThrowAsync<MalformedEventException>(() => reader.Ended);
        error.EventType.ShouldBe(broken.Contains("change", StringComparison.Ordinal) ? "change" : "reset");
        (await cursor.Load(default)).ShouldBe(6);
        stub.Positions.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_event_without_a_position_ends_the_feed()
    {
        await using var stub = await Start(Stays(Change(6).Replace("id: 6\n", "", StringComparison.Ordinal)));
        await using var reader = FeedReader.Of(stub.Address);
        (await Should.ThrowAsync<MalformedEventException>(() => reader.Ended)).EventData.ShouldContain("tenancy.modules");
    }

    [Theory]
    [InlineData(400, "application/problem+json", "STUB")]
    [InlineData(403, "application/problem+json", "STUB")]
    [InlineData(401, "application/problem+json", "STUB")]
    [InlineData(404, "text/html", null)]
    [InlineData(200, "text/html", null)]
    public async Task A_refusal_that_would_not_change_ends_the_feed(int status, string contentType, string? code)
    {
        await using var stub = await Start(Answers(status, contentType: contentType));
        await using var reader = FeedReader.Of(stub.Address);
        var refusal = await Should.ThrowAsync<RefusedException>(() => reader.Ended);
        ((int)refusal.Status, refusal.Code).ShouldBe((status, code));
        stub.Positions.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_token_is_called_refused_only_if_it_was()
    {
        var refused = new List<string?>();
        await using var stub = await Start(Answers(503), Answers(401), Stays(Change(1)));
        await using var reader = FeedReader.Of(stub.Address, (bad, _) =>
        {
            refused.Add(bad);
            return new($"t{refused.Count}");
        });
        await reader.Gets(1);
        refused.ShouldBe([null, null, "t2"]);
        stub.Tokens.ShouldBe(["Bearer t1", "Bearer t2", "Bearer t3"]);
    }

    [Fact]
    public async Task A_source_of_tokens_may_fail_for_a_while()
    {
        var asked = 0;
        await using var stub = await Start(Stays(Change(1)));
        await using var reader =
            FeedReader.Of(stub.Address, (_, _) => ++asked < 3 ? throw new HttpRequestException("the server is away") : new("good"));
        await reader.Gets(1);
        reader.Losses.Select(l => l.Reason).ShouldBe(["the server is away", "the server is away"]);
    }

    [Fact]
    public async Task Cancelling_ends_it_while_it_waits_and_between_connections()
    {
        foreach (var (answer, until) in new (
            Func<HttpContext, Task>,
            Func<FeedReader, bool>)[] { (Stays(""), r => r.States.Count == 1), (Answers(503, "3600"), r => r.Losses.Count == 1) })
        {
            await using var stub = await Start(answer);
            var reader = FeedReader.Of(stub.Address);
            await Waiting.Until(() => until(reader), "the feed waits");
            await reader.DisposeAsync();
            reader.Ended.IsCanceled.ShouldBeTrue();
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_feed_has_one_reader_at_a_time()
    {
        await using var stub = await Start(Stays(Change(1)));
        using var http = new HttpClient { BaseAddress = stub.Address };
        var feed = new LiveFeed(http, new LiveFeedOptions());
        await foreach (var first in feed.Read(TestContext.Current.CancellationToken))
        {
            await using var second = feed.Read(TestContext.Current.CancellationToken).GetAsyncEnumerator();
            await Should.ThrowAsync<InvalidOperationException>(async () => await second.MoveNextAsync());
            break;
        }
        await foreach (var again in feed.Read(TestContext.Current.CancellationToken))
        {
            again.Position.ShouldBe(1);
            break;
        }
    }
}
