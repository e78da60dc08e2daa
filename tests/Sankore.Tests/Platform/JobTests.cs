using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;

namespace Sankore.Tests.Platform;

/// <summary>The queue: a job is done if and only if its transaction committed, once, and again when it failed.</summary>
public sealed class JobTests(World world) : IClassFixture<World>, IAsyncLifetime
{
    private const string Type = "test_job";

    // The world's own worker knows no test jobs and would fail them: it rests, and these tests work the queue by hand.
    public async ValueTask InitializeAsync()
    {
        await world.App.Services.GetRequiredService<JobWorker>().StopAsync(CancellationToken.None);
        await world.Execute("delete from util.job_queue");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_job_is_there_when_its_transaction_commits()
    {
        var id = await Enqueue();
        (await State(id)).ShouldBe("pending");
        var handler = new Handler();
        (await Worker(handler).WorkSome(CancellationToken.None)).ShouldBe(1);
        handler.Seen.ShouldBe([(id, """{"text":"private"}""")]);
    }

    [Fact]
    public async Task A_job_is_not_there_when_its_transaction_fails()
    {
        await Should.ThrowAsync<InvalidOperationException>(() => world.Db.Run(Caller.Service, async session =>
        {
            await session.Enqueue(Type, new { text = "never" });
            throw new InvalidOperationException("after all, no");
        }, CancellationToken.None));
        (await world.Sql<long>("select count(*) from util.job_queue")).ShouldBe(0);
    }

    [Fact]
    public async Task A_person_may_have_a_job_done_but_not_read_the_queue()
    {
        var person = Caller.Person(await world.IdOf(Cast.HeadOnPremium));
        var id = await world.Db.Run(person, async session =>
        {
            var job = await session.Enqueue(Type, new { });
            // Still the person afterwards.
            (await session.Value<Guid>("select auth.uid()")).ShouldBe(person.UserId!.Value);
            return job;
        }, CancellationToken.None);
        (await State(id)).ShouldBe("pending");
        (await Should.ThrowAsync<Refusal>(
            () => world.Db.Read(person, s => s.Value<long>("select count(*) from util.job_queue"), CancellationToken.None)))
            .Reason.ShouldBe(Reason.Forbidden);
    }

    [Fact]
    public async Task A_finished_job_forgets_what_it_was_about()
    {
        var id = await Enqueue();
        await Worker(new Handler()).WorkSome(CancellationToken.None);
        (await State(id)).ShouldBe("completed");
        (await world.Sql<string>("select payload::text from util.job_queue where id = @id", new { id })).ShouldBe("{}");
        (await world.Sql<bool>(
            "select completed_at is not null and locked_until is null and last_error is null from util.job_queue where id = @id",
            new { id })).ShouldBeTrue();
        (await Worker(new Handler()).WorkSome(CancellationToken.None)).ShouldBe(0);
    }

    [Fact]
    public async Task A_job_that_fails_is_tried_again_later_and_given_up_in_the_end()
    {
        var id = await Enqueue();
        await world.Execute("update util.job_queue set max_attempts = 3 where id = @id", new { id });
        var worker = Worker(new Handler(() => new InvalidOperationException("the printer is on fire")));
        var pause = TimeSpan.Zero;
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            (await worker.WorkSome(CancellationToken.None)).ShouldBe(1);
            (await State(id)).ShouldBe(attempt < 3 ? "pending" : "failed");
            (await world.Sql<int>("select attempts from util.job_queue where id = @id", new { id })).ShouldBe(attempt);
            (await world.Sql<string>("select last_error from util.job_queue where id = @id", new { id })).ShouldContain("printer");
            var next = await world.Sql<TimeSpan>("select run_at - now() from util.job_queue where id = @id", new { id });
            next.ShouldBeGreaterThan(pause);
            pause = next;
            (await worker.WorkSome(CancellationToken.None)).ShouldBe(0);
            await world.Execute("update util.job_queue set run_at = now() where id = @id", new { id });
        }
        (await worker.WorkSome(CancellationToken.None)).ShouldBe(0);
    }

    [Fact]
    public async Task A_job_that_cannot_succeed_is_not_tried_again()
    {
        var id = await Enqueue();
        await Worker(new Handler(() => new FinalFailure("nobody of that name"))).WorkSome(CancellationToken.None);
        (await State(id)).ShouldBe("failed");
        (await world.Sql<string>("select attempts || ' ' || last_error from util.job_queue where id = @id", new { id }))
            .ShouldBe("1 nobody of that name");
    }

    [Fact]
    public async Task A_job_that_is_done_while_the_node_stops_is_not_done_again()
    {
        var id = await Enqueue();
        using var stop = new CancellationTokenSource();
        await Should.ThrowAsync<OperationCanceledException>(() => Worker(new Handler(() =>
        {
            stop.Cancel();
            return null;
        })).WorkSome(stop.Token));
        (await State(id)).ShouldBe("completed");
    }

    [Fact]
    public async Task A_job_whose_service_does_not_answer_is_tried_again_like_any_other()
    {
        var id = await Enqueue();
        // What an HttpClient throws when its time is over.
        await Worker(new Handler(() => new TaskCanceledException("no answer within 100 s"))).WorkSome(CancellationToken.None);
        (await State(id)).ShouldBe("pending");
        (await world.Sql<int>("select attempts from util.job_queue where id = @id", new { id })).ShouldBe(1);
    }

    [Fact]
    public async Task One_job_that_fails_does_not_hold_up_the_others()
    {
        var ids = new[] { await Enqueue(), await Enqueue(), await Enqueue() };
        var failures = 0;
        await Worker(new Handler(() => failures++ == 0 ? new InvalidOperationException("only the first") : null))
            .WorkSome(CancellationToken.None);
        var states = new List<string>();
        foreach (var id in ids)
        {
            states.Add(await State(id));
        }
        states.Order().ShouldBe(["completed", "completed", "pending"]);
    }

    [Fact]
    public async Task A_job_of_a_dead_node_is_taken_over_when_its_lease_ends()
    {
        var id = await Enqueue();
        await world.Execute(
            "update util.job_queue set status = 'running', attempts = 1, locked_until = now() + interval '1 minute' where id = @id",
            new { id });
        var handler = new Handler();
        (await Worker(handler).WorkSome(CancellationToken.None)).ShouldBe(0);
        await world.Execute("update util.job_queue set locked_until = now() - interval '1 second' where id = @id", new { id });
        (await Worker(handler).WorkSome(CancellationToken.None)).ShouldBe(1);
        (await State(id)).ShouldBe("completed");
        (await world.Sql<int>("select attempts from util.job_queue where id = @id", new { id })).ShouldBe(2);
    }

    [Fact]
    public async Task A_job_that_kills_every_node_is_given_up_too()
    {
        var id = await Enqueue();
        await world.Execute(
            "update util.job_queue set status = 'running', attempts = max_attempts, locked_until = now() - interval '1 second'"
            + " where id = @id", new { id });
        var handler = new Handler();
        await Worker(handler).WorkSome(CancellationToken.None);
        handler.Seen.ShouldBeEmpty();
        (await State(id)).ShouldBe("failed");
    }

    [Fact]
    public async Task Many_workers_do_each_job_once()
    {
        for (var i = 0; i < 60; i++)
        {
            await Enqueue();
        }
        var handler = new Handler();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            var worker = Worker(handler);
            while (await worker.WorkSome(CancellationToken.None) > 0)
            {
            }
        }));
        handler.Seen.Count.ShouldBe(60);
        handler.Seen.Select(s => s.Id).ShouldBeUnique();
        (await world.Sql<long>("select count(*) from util.job_queue where status = 'completed' and attempts = 1")).ShouldBe(60);
    }

    [Fact]
    public async Task A_long_job_blocks_no_other_type_and_keeps_its_lease()
    {
        var (slow, quick) = (new Slow("test_slow"), new Handler());
        using var worker = Worker(TimeSpan.FromMilliseconds(300), slow, quick);
        await worker.StartAsync(CancellationToken.None);
        var id = await world.Db.Run(Caller.Service, session => session.Enqueue("test_slow", new { }), CancellationToken.None);
        await slow.Started.Task.WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        await Enqueue();
        await Waiting.Until(() => quick.Seen.Count == 1, "the quick one is done");
        var until = await world.Sql<DateTime>("select locked_until from util.job_queue where id = @id", new { id });
        await Waiting.Until(
            async () => await world.Sql<DateTime>("select locked_until from util.job_queue where id = @id", new { id }) > until.AddSeconds(
                1), "the lease is renewed, again and again");
        (await Worker(new Slow("test_slow")).WorkSome(CancellationToken.None)).ShouldBe(0);
        slow.Finish.SetResult();
        await Waiting.Until(async () => await State(id) == "completed", "the slow one is done");
        await worker.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_node_that_stops_gives_its_jobs_back()
    {
        var slow = new Slow("test_slow");
        using var worker = Worker(TimeSpan.FromSeconds(30), slow);
        await worker.StartAsync(CancellationToken.None);
        var id = await world.Db.Run(Caller.Service, session => session.Enqueue("test_slow", new { }), CancellationToken.None);
        await slow.Started.Task.WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        await worker.StopAsync(CancellationToken.None);
        (await State(id)).ShouldBe("pending");
        (await world.Sql<int>("select attempts from util.job_queue where id = @id", new { id })).ShouldBe(0);
    }

    [Fact]
    public async Task A_node_taken_for_dead_abandons_the_job_and_saves_nothing()
    {
        var slow = new Slow("test_slow");
        using var worker = Worker(TimeSpan.FromMilliseconds(300), slow);
        await worker.StartAsync(CancellationToken.None);
        var id = await world.Db.Run(Caller.Service, session => session.Enqueue("test_slow", new { }), CancellationToken.None);
        await slow.Started.Task.WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        // Another node has claimed it.
        await world.Execute(
            "update util.job_queue set attempts = attempts + 1, locked_until = now() + interval '1 hour' where id = @id", new { id });
        await slow.Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        await worker.StopAsync(CancellationToken.None);
        (await State(id)).ShouldBe("running");
        (await world.Sql<int>("select attempts from util.job_queue where id = @id", new { id })).ShouldBe(2);
    }

    [Fact]
    public async Task A_job_that_ends_while_its_lease_is_renewed_is_no_lost_one()
    {
        var slow = new Slow("test_slow");
        using var worker = Worker(TimeSpan.FromMilliseconds(300), slow);
        await worker.StartAsync(CancellationToken.None);
        await using var connection = await world.App.Services.GetRequiredService<NpgsqlDataSource>()
            .OpenConnectionAsync(TestContext.Current.CancellationToken);
        var id = await world.Db.Run(Caller.Service, session => session.Enqueue("test_slow", new { }), CancellationToken.None);
        await slow.Started.Task.WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        // Both the end of the job and the renewal of its lease wait for its row, and the end is first.
        await using (var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await connection.ExecuteAsync(
                "set local role service_role; select 1 from util.job_queue where id = @id for update", new { id }, transaction);
            slow.Finish.SetResult();
            await Waiting.Until(async () => await world.Sql<long>(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%util.job_queue%'") >= 2,
                "both wait");
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }
        await Waiting.Until(async () => await State(id) == "completed", "it is done");
        await worker.StopAsync(CancellationToken.None);
        worker.ExecuteTask!.IsFaulted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_job_of_an_unknown_type_is_left_to_a_node_that_knows_it()
    {
        var id = await world.Db.Run(Caller.Service, session => session.Enqueue("test_tomorrow", new { }), CancellationToken.None);
        (await Worker(new Handler()).WorkSome(CancellationToken.None)).ShouldBe(0);
        (await State(id)).ShouldBe("pending");
    }

    [Fact]
    public async Task A_job_for_later_waits_for_its_time()
    {
        var id = await world.Db.Run(
            Caller.Service, session => session.Enqueue(Type, new { }, runAt: DateTimeOffset.UtcNow.AddHours(1)), CancellationToken.None);
        var handler = new Handler();
        (await Worker(handler).WorkSome(CancellationToken.None)).ShouldBe(0);
        await world.Execute("update util.job_queue set run_at = now() where id = @id", new { id });
        (await Worker(handler).WorkSome(CancellationToken.None)).ShouldBe(1);
    }

    private Task<Guid> Enqueue() =>
        world.Db.Run(Caller.Service, session => session.Enqueue(Type, new { text = "private" }), CancellationToken.None);

    private Task<string> State(Guid id) => world.Sql<string>("select status from util.job_queue where id = @id", new { id });

    private JobWorker Worker(IJobHandler handler) => Worker(TimeSpan.FromSeconds(30), handler);

    private JobWorker Worker(TimeSpan lease, params IJobHandler[] handlers) =>
        new(world.Db, world.App.Services.GetRequiredService<NpgsqlDataSource>(), handlers, new JobLease(lease),
            NullLogger<JobWorker>.Instance);

    /// <summary>A job that takes as long as the test says.</summary>
    private sealed class Slow(string type) : IJobHandler
    {
        public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource Finish { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string JobType => type;

        public async Task Run(Job job, CancellationToken ct)
        {
            Started.SetResult();
            try
            {
                await Finish.Task.WaitAsync(ct);
            }
            catch (OperationCanceledException)
            {
                Cancelled.SetResult();
                throw;
            }
        }
    }

    private sealed class Handler(Func<Exception?>? fails = null) : IJobHandler
    {
        private readonly List<(Guid Id, string Payload)> _seen = [];

        public IReadOnlyList<(Guid Id, string Payload)> Seen { get { lock (_seen) { return [.. _seen]; } } }

        public string JobType => Type;

        public Task Run(Job job, CancellationToken ct)
        {
            lock (_seen)
            {
                _seen.Add((job.Id, job.Payload.GetRawText().Replace(": ", ":", StringComparison.Ordinal)));
            }
            return fails?.Invoke() is { } failure ? throw failure : Task.CompletedTask;
        }
    }
}
