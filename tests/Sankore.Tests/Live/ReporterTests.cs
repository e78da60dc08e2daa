using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Sankore.Platform.Live;

namespace Sankore.Tests.Live;

/// <summary>Nodes say how their feed does: operators are told, and nobody else.</summary>
public sealed class ReporterTests(World world) : IClassFixture<World>
{
    private const string ReportSql = """
        select live.report(@id, @name, '1.0', interval '1 hour', @watched::interval, @figures::jsonb, '{}')::text
        """;

    private LiveReporter Reporter => world.App.Services.GetRequiredService<LiveReporter>();

    [Fact]
    public async Task An_operator_is_told_how_many_streams_there_are()
    {
        await using var operators = await LiveClient.Open(world.Address, await world.Token(Cast.Super));
        await Waiting.Until(() => world.App.Services.GetRequiredService<LiveHub>().Count == 1, "the streams of other tests are over");
        Reporter.Watch();
        await Reporter.Report(CancellationToken.None);
        var first = await operators.Next(e => IsOf(e, Reporter.Id), "the operator is told of the node");
        var streams = first.Row.GetProperty("streams").GetInt32();
        first.Row.Text("name").ShouldContain(Environment.MachineName);
        first.Row.Text("state").ShouldBe("active");
        first.Row.Text("streamsPath").ShouldStartWith("M0 40");

        await using var another = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnPremium));
        await Reporter.Report(CancellationToken.None);
        var next = await operators.Next(
            e => IsOf(e, Reporter.Id) && e.Row.GetProperty("streams").GetInt32() == streams + 1, "the operator is told of one stream more");
        next.Op.ShouldBe("UPDATE");
        next.Row.GetProperty("streamsMax").GetInt32().ShouldBeGreaterThanOrEqualTo(streams + 1);
        (await operators.Next(e => e.Id > next.Id && e.Table == "live.nodes" && e.Data.Text("id") == "all", "and of all nodes together"))
            .Row.GetProperty("streams").GetInt32().ShouldBeGreaterThan(streams);
    }

    [Fact]
    public async Task Nobody_else_is_told()
    {
        // A moderator reads the catalogue, but not how the platform does.
        const string Moderator = "teacher.s0004.1@sankore.test";
        await world.Execute(
            "insert into rbac.user_roles (user_id, role_id) select @id, id from rbac.roles where role_name = 'moderator'",
            new { id = await world.IdOf(Moderator) });
        var module = await world.Included("premium");
        await using var head = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnPremium));
        await using var admin = await LiveClient.Open(world.Address, await world.Token(Cast.Admin1));
        await using var moderator = await LiveClient.Open(world.Address, await world.Token(Moderator));
        var before = await world.Position();

        Reporter.Watch();
        await Reporter.Report(CancellationToken.None);
        (await world.Sql<long>("select count(*) from live.changes where id > @before and table_name = 'live.nodes'", new { before }))
            .ShouldBeGreaterThan(0);
        (await world.Sql<long>("select count(*) from live.changes where table_name = 'live.nodes' and topics <> array['operations']"))
            .ShouldBe(0);
        await world.Rename(module, "Après le rapport");

        foreach (var stream in (LiveClient[])[head, admin, moderator])
        {
            await stream.Hears(module, "Après le rapport");
            stream.Events.ShouldAllBe(e => e.Table != "live.nodes");
        }
    }

    [Fact]
    public async Task The_topic_goes_with_the_permission()
    {
        Guid[] people =
        [
            await world.IdOf(Cast.Super), await world.IdOf(Cast.HeadOnPremium), await world.IdOf(Cast.Admin2),
            await world.IdOf(Cast.Teacher1),
        ];
        (await world.AsRole<Guid>(
            "service_role", null, "select user_id from rbac.rights_of_people(@people) where kind = 'topic' and 'operations' = any(items)",
            new { people })).ShouldBe([people[0]]);
    }

    [Fact]
    public async Task Only_operators_read_the_nodes_and_only_the_server_writes_them()
    {
        await Say(Guid.CreateVersion7(), "À lire");
        (await world.AsRole<long>("authenticated", await world.IdOf(Cast.Super), "select count(*) from live.nodes where name = 'À lire'"))
            .ShouldBe([1L]);
        foreach (var email in (string[])[Cast.HeadOnPremium, Cast.Admin1, Cast.Teacher1])
        {
            (await world.AsRole<long>("authenticated", await world.IdOf(email), "select count(*) from live.nodes")).ShouldBe([0L], email);
            (await world.AsRole<string>("authenticated", await world.IdOf(email), "select live.nodes_row()::text"))
                .ShouldAllBe(row => !row.Contains("streams"), email);
        }
        foreach (var (role, email, statement) in (IEnumerable<(string, string?, string)>)
            [
                ("anon", null, "select count(*) from live.nodes"), ("anon", null, "select live.nodes_row()"),
                .. from statement in (string[])
                   [
                       "update live.nodes set name = 'x' returning 1", "delete from live.nodes returning 1",
                           "insert into live.nodes (id, name, version, started_at, figures, history)"
                           + " values (gen_random_uuid(), 'x', 'x', now(), '{}', '{}') returning 1",
                       "select live.report(gen_random_uuid(), 'x', 'x', interval '0', interval '0', '{}', '{}')",
                   ]
                   from who in (string?[])[null, Cast.Super]
                   select (who is null ? "anon" : "authenticated", who, statement),
            ])
        {
            var refused = await Should.ThrowAsync<PostgresException>(
                async () =>
                    await world.AsRole<string>(role, email is null ? null : await world.IdOf(email), statement), $"{statement} as {role}");
            refused.SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
        }
    }

    [Fact]
    public async Task A_node_that_is_silent_is_said_to_be_and_leaves_after_a_minute()
    {
        var (here, gone) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await using var operators = await LiveClient.Open(world.Address, await world.Token(Cast.Super));
        await Say(gone, "Bientôt parti", """{"streams": 1000}""");
        await operators.Next(e => IsOf(e, gone) && e.Row.Text("state") == "active", "the node is there");

        await Age(gone, 25);
        await Say(here, "Encore là");
        await operators.Next(e => IsOf(e, gone) && e.Row.Text("state") == "inactive", "the node has fallen silent");
        await Say(here, "Encore là");
        (await All()).GetProperty("streams").GetInt32().ShouldBeGreaterThanOrEqualTo(1000);

        await Age(gone, 61);
        (await All()).TryGetProperty("streams", out var left);
        (left.ValueKind == JsonValueKind.Undefined ? 0 : left.GetInt32()).ShouldBeLessThan(1000);
        await Say(here, "Encore là");
        await operators.Next(e => IsOf(e, gone) && e.Op == "DELETE", "the node has left");
        (await world.Sql<long>("select count(*) from live.nodes where id = @gone", new { gone })).ShouldBe(0);
        operators.Events.Count(e => IsOf(e, gone)).ShouldBe(3);

        await Say(gone, "Revenu");
        await operators.Next(e => IsOf(e, gone) && e.Op == "INSERT" && e.Row.Text("name") == "Revenu", "the node is back");
    }

    [Fact]
    public async Task Of_times_the_worst_counts_and_of_the_rest_the_sum()
    {
        await world.Execute("delete from live.nodes");
        await Say(Guid.CreateVersion7(), "Un", """{"streams": 3, "streamsMax": 9, "fanOut": 1.5, "lag": 40}""");
        await Say(Guid.CreateVersion7(), "Deux", """{"streams": 4, "streamsMax": 9, "fanOut": 0.5, "lag": 60, "dropped": 2}""");
        var all = await All();
        (all.GetProperty("streams").GetInt32(), all.GetProperty("fanOut").GetDouble(), all.GetProperty("lag").GetInt32(),
            all.GetProperty("dropped").GetInt32()).ShouldBe((7, 1.5, 60, 2));
        all.TryGetProperty("streamsMax", out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("0", "0", "0")]
    [InlineData("0.04", "0", "0")]
    [InlineData("0.25", "0.3", "0,3")]
    [InlineData("9.96", "10", "10")]
    [InlineData("12.4", "12", "12")]
    [InlineData("12500", "12,500", "12\u202f500")]
    [InlineData("9007199254740992", "9,007,199,254,740,992", "9\u202f007\u202f199\u202f254\u202f740\u202f992")]
    [InlineData("1e300", "1,000,000,000,000,000,000", "1\u202f000\u202f000\u202f000\u202f000\u202f000\u202f000")]
    [InlineData("-5", "-5", "-5")]
    public async Task Figures_are_said_in_both_languages_however_large_or_odd(string figure, string english, string french)
    {
        var id = Guid.CreateVersion7();
        await Say(id, new string('n', 5000), $$"""{"streams": {{figure}}}""");
        var row = JsonElement.Parse(await world.Sql<string>("select live.node_row(n)::text from live.nodes n where id = @id", new { id }));
        Said("en").ShouldBe(english);
        Said("fr").ShouldBe(french);
        row.Text("name").Length.ShouldBe(200);
        await world.Execute("delete from live.nodes where id = @id", new { id });

        string Said(string language)
        {
            CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(language);
            return new Sankore.Operations.LiveNode(row).Figure("streams");
        }
    }

    [Fact]
    public async Task Without_anybody_at_the_page_the_log_is_told_every_ten_seconds_at_most()
    {
        await world.Execute("update live.nodes set watched_until = now()");
        var id = Guid.CreateVersion7();
        for (var streams = 0; streams < 5; streams++)
        {
            await Say(id, "Discret", $$"""{"streams": {{streams}}}""", watched: "0");
        }
        (await Told(id)).ShouldBe(1);
        await world.Execute("update live.nodes set told_at = now() - interval '10 seconds' where id = @id", new { id });
        await Say(id, "Discret", watched: "0");
        (await Told(id)).ShouldBe(2);
        // Whoever opens the page at another node counts here too.
        await Say(Guid.CreateVersion7(), "Regardé", watched: "1 minute");
        await Say(id, "Discret", watched: "0");
        (await Told(id)).ShouldBe(3);
    }

    [Fact]
    public async Task Rates_use_a_monotonic_clock_and_an_idle_node_reports_zero()
    {
        await world.Execute("delete from live.nodes");
        var hub = world.App.Services.GetRequiredService<LiveHub>();
        await Waiting.Until(() => hub.Count == 0, "the streams of other tests have gone");
        var clock = new Clock();
        using var meters = new LiveMeters();
        using var reporter = New(clock, meters, "0", null);
        await reporter.Report(CancellationToken.None);
        var first = await Row();
        clock.Advance(TimeSpan.FromSeconds(9));
        await reporter.Report(CancellationToken.None);
        (await Row()).ShouldBe(first);
        clock.Advance(TimeSpan.FromSeconds(2));
        await reporter.Report(CancellationToken.None);
        (await Row()).ShouldNotBe(first);

        Task<string> Row() =>
            world.Sql<string>("select seen_at || ' ' || figures from live.nodes where id = @id", new { id = reporter.Id });
    }

    [Fact]
    public async Task Each_figure_is_worked_out_from_what_was_counted_since_the_sample_before()
    {
        var clock = new Clock();
        using var meters = new LiveMeters();
        using var reporter = New(clock, meters, "0", null);
        meters.CountSent(streams: 100, events: 8, coalesced: 3, bytes: 5000);
        meters.FannedOut(TimeSpan.FromMilliseconds(12.346));
        meters.FannedOut(TimeSpan.FromMilliseconds(2));
        meters.Behind(3);
        meters.Behind(-40);
        meters.Refused();
        clock.Advance(TimeSpan.FromSeconds(4));
        await reporter.Report(CancellationToken.None);
        var row = await Row();
        Figures(row).ShouldBe((200, 12.35, 3, 125, 300, 1));

        clock.Advance(TimeSpan.FromSeconds(2));
        await reporter.Report(CancellationToken.None);
        row = await Row();
        // What is counted stays, what is measured begins anew, and the line remembers.
        Figures(row).ShouldBe((0, 0, 0, 0, 300, 1));
        (row.GetProperty("eventsMax").GetDouble(), row.GetProperty("fanOutMax").GetDouble(), row.GetProperty("lagMax").GetDouble())
            .ShouldBe((200, 12.35, 3));
        row.Text("eventsPath").ShouldBe("M0 40H228L232 0L236 40");
        (row.GetProperty("eventsTop").GetDouble(), row.GetProperty("fanOutTop").GetDouble(), row.GetProperty("lagTop").GetDouble())
            .ShouldBe((200, 15, 3));

        static (double, double, double, double, long, long) Figures(JsonElement row) => (
            row.GetProperty("events").GetDouble(), row.GetProperty("fanOut").GetDouble(), row.GetProperty("lag").GetDouble(),
            row.GetProperty("kilobytes").GetDouble(),
            row.GetProperty("coalesced").GetInt64(), row.GetProperty("refused").GetInt64());

        async Task<JsonElement> Row() => JsonElement.Parse(
            await world.Sql<string>("select live.node_row(n)::text from live.nodes n where id = @id", new { id = reporter.Id }));
    }

    [Fact]
    public async Task When_the_database_is_away_it_says_so_once_and_goes_on()
    {
        // A database of its own: connections that other tests keep for later are not cut.
        await using var own = new World();
        await own.InitializeAsync();
        var clock = new Clock();
        var log = new Log();
        using var reporter = New(clock, own.App.Services.GetRequiredService<LiveMeters>(), "0.01", log, own);
        await reporter.StartAsync(CancellationToken.None);
        await Waiting.Until(
            () => own.Sql<bool>("select exists (select 1 from live.nodes where id = @id)", new { reporter.Id }), "it reports");
        for (var loss = 1; loss <= 2; loss++)
        {
            await Connections(own, false);
            await Waiting.Until(() => Later(log.Lines.Count == loss), "it says that it cannot", 30);
            await clock.Passes(TimeSpan.FromSeconds(60));
            log.Lines.Count.ShouldBe(loss);
            await Connections(own, true);
            await own.Execute("delete from live.nodes");
            await Waiting.Until(
                async () => Later(await own.Sql<bool>("select exists (select 1 from live.nodes where id = @id)", new { reporter.Id })),
                "it reports again");
        }
        await reporter.StopAsync(CancellationToken.None);

        bool Later(bool holds)
        {
            clock.Advance(TimeSpan.FromSeconds(11));
            return holds;
        }
    }

    /// <summary>A database lets nobody in, and whoever is in is put out; or it lets everybody in again.</summary>
    private static async Task Connections(World world, bool allowed)
    {
        var database = new NpgsqlConnectionStringBuilder(world.AdminConnection).Database;
        await Cluster.Execute(await Cluster.Server() + ";Database=postgres", $"""
            alter database {database} allow_connections {allowed};
            select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}' and not {allowed}
            """);
        Cluster.ClearPool(world.AdminConnection);
    }

    private static bool IsOf(LiveEvent e, Guid node) => e.Type == "change" && e.Table == "live.nodes" && e.RowId == node;

    private LiveReporter New(Clock clock, LiveMeters meters, string every, ILogger<LiveReporter>? log, World? at = null) => new(
        (at ?? world).Db, world.App.Services.GetRequiredService<LiveHub>(), meters, clock,
        new ConfigurationBuilder().AddInMemoryCollection([new("Sankore:Live:ReportEvery", every)]).Build(), log
        ?? world.App.Services.GetRequiredService<ILogger<LiveReporter>>());

    private Task<IReadOnlyList<string>> Say(Guid id, string name, string figures = "{}", string watched = "1 minute") =>
        world.AsRole<string>("service_role", null, ReportSql, new { id, name, watched, figures });

    private Task<int> Age(Guid id, int seconds) =>
        world.Execute("update live.nodes set seen_at = now() - make_interval(secs => @seconds) where id = @id", new { id, seconds });

    private Task<long> Told(Guid id) =>
        world.Sql<long>("select count(*) from live.changes where table_name = 'live.nodes' and row_id = @id::text", new { id });

    private async Task<JsonElement> All() => JsonElement.Parse(await world.Sql<string>("select live.nodes_row()::text"));

    /// <summary>A clock that stands still until it is moved; its timers are real.</summary>
    private sealed class Clock : TimeProvider
    {
        private long _now = 1;
        private long _asked;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp()
        {
            Interlocked.Increment(ref _asked);
            return Volatile.Read(ref _now);
        }

        public void Advance(TimeSpan by) => Interlocked.Add(ref _now, by.Ticks);

        /// <summary>Time passes for whoever asks for it, a few times over.</summary>
        public async Task Passes(TimeSpan by)
        {
            for (var round = 0; round < 5; round++)
            {
                var asked = Volatile.Read(ref _asked);
                Advance(by / 5);
                await Waiting.Until(() => Volatile.Read(ref _asked) > asked + 3, "somebody looks at the clock");
            }
        }
    }

    private sealed class Log : ILogger<LiveReporter>
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines { get { lock (_lines) { return [.. _lines]; } } }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        void ILogger.Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines)
            {
                _lines.Add(formatter(state, exception));
            }
        }
    }
}
