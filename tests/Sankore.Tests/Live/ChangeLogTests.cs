using System.Collections.Concurrent;
using Dapper;
using Npgsql;

namespace Sankore.Tests.Live;

/// <summary>
/// Writers at once, long and short, committing and not: whoever follows the log by its ids never misses and never reorders a committed
/// change.
/// </summary>
public sealed class ChangeLogTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    private const int Writers = 8;
    private const int TransactionsEach = 25;

    private sealed record Entry(long Id, string TableName, string RowId, string Op, int? Version, string? Name);

    /// <summary>
    /// A transaction that was committed: when it began to commit and when it had, on a clock that only counts; and a name that only it
    /// wrote.
    /// </summary>
    /// <param name="Versions">The version in which it left each row that it changed.</param>
    private sealed record Commit(string Name, int Began, int Ended, List<(Guid Row, int Version)> Versions);

    private int _clock;
    private int _shortWritersBusy = Writers / 2;

    [Fact]
    public async Task A_reader_who_follows_the_ids_misses_nothing_and_reorders_nothing()
    {
        Guid[] shared = [.. Enumerable.Range(0, 6).Select(_ => Guid.CreateVersion7())];
        Guid[] own = [.. Enumerable.Range(0, Writers).Select(_ => Guid.CreateVersion7())];
        await Write(shared.Concat(own));
        var start = await world.Sql<long>("select live.position()");
        var commits = new ConcurrentBag<Commit>();
        var done = false;
        var following = Follow(start, () => Volatile.Read(ref done));

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(w => Task.Run(() => Work(w, own[w], shared, commits))));
        Volatile.Write(ref done, true);
        var followed = await following;

        var log = await Read(start);
        followed.Select(e => e.Id).ShouldBe(log.Select(e => e.Id));
        followed.Select(e => e.Id).ShouldBe(followed.Select(e => e.Id).Order());
        commits.Count.ShouldBeGreaterThan(Writers * TransactionsEach / 3);
        EveryCommitOnceAndInOrder(followed, commits);
        IdsFollowCommits(followed, commits);
    }

    [Fact]
    public async Task Who_commits_waits_for_whoever_has_told_already()
    {
        Guid[] rows = [Guid.CreateVersion7(), Guid.CreateVersion7()];
        await Write(rows);
        var start = await world.Sql<long>("select live.position()");
        await using var first = new NpgsqlConnection(world.AdminConnection);
        await first.OpenAsync(TestContext.Current.CancellationToken);
        await first.ExecuteAsync(
            "begin; update public.notes set name = 'first' where id = @row; set constraints all immediate", new { row = rows[0] });

        var second = world.Execute("update public.notes set name = 'second' where id = @row", new { row = rows[1] });
        await Waiting.Until(() => world.Sql<bool>(
            "select exists (select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid"
            + " from pg_database where datname = current_database()))"), "the second waits");
        (await Read(start)).ShouldBeEmpty("nobody reads past what is not committed");
        await first.ExecuteAsync("commit transaction");
        await second;

        (await Read(start)).Select(e => e.Name).ShouldBe(["first", "second"]);
    }

    /// <summary>
    /// A row's version counts its changes: the log has, in order, the one in which each transaction left it, and no other.
    /// </summary>
    private static void EveryCommitOnceAndInOrder(List<Entry> followed, IEnumerable<Commit> commits)
    {
        foreach (var row in commits.SelectMany(c => c.Versions).GroupBy(v => v.Row, v => v.Version))
        {
            followed.Where(e => e.RowId == row.Key.ToString()).Select(e => e.Version!.Value).ShouldBe(row.Order(), $"module {row.Key}");
        }
    }

    /// <summary>Whatever was committed before another began to commit has the smaller ids.</summary>
    private static void IdsFollowCommits(List<Entry> followed, IEnumerable<Commit> commits)
    {
        var spans = followed.GroupBy(e => e.Name!).ToDictionary(g => g.Key, g => (First: g.Min(e => e.Id), Last: g.Max(e => e.Id)));
        var ordered = commits.OrderBy(c => c.Began).ToList();
        spans.Keys.Order().ShouldBe(ordered.Select(c => c.Name).Order(), "only what was committed is in the log, and all of it");
        foreach (var later in ordered)
        {
            foreach (var earlier in ordered.TakeWhile(c => c.Began < later.Began).Where(c => c.Ended < later.Began))
            {
                spans[earlier.Name].Last.ShouldBeLessThan(spans[later.Name].First);
            }
        }
    }

    /// <summary>One writer: even ones also hold transactions open, on rows that nobody else wants, while others commit.</summary>
    private async Task Work(int writer, Guid own, Guid[] shared, ConcurrentBag<Commit> commits)
    {
        var random = new Random(writer);
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.OpenAsync();
        for (var t = 0; t < TransactionsEach; t++)
        {
            var name = $"w{writer} t{t}";
            var holds = writer % 2 == 0 && random.Next(3) == 0;
            await connection.ExecuteAsync("begin transaction");
            Guid[] rows = holds ? [own] : random.Next(4) == 0 ? [own, .. shared] : [.. shared.Where(_ => random.Next(3) == 0).Append(own)];
            await Change(connection, random, name, rows);
            var versions = (
                await connection.QueryAsync<(Guid, int)>("select id, version from public.notes where id = any(@rows)", new { rows }))
                .AsList();
            if (holds)
            {
                var until = commits.Count + 5;
                await Waiting.Until(() => commits.Count >= until || Volatile.Read(ref _shortWritersBusy) == 0, "others have committed", 60);
            }
            else if (random.Next(6) == 0)
            {
                // What is told is told early, and holds the log's lock until the commit.
                await connection.ExecuteAsync("set constraints all immediate");
            }
            if (random.Next(5) == 0)
            {
                await connection.ExecuteAsync("rollback transaction");
                continue;
            }
            var began = Interlocked.Increment(ref _clock);
            await connection.ExecuteAsync("commit transaction");
            commits.Add(new Commit(name, began, Interlocked.Increment(ref _clock), versions));
        }
        if (writer % 2 == 1)
        {
            Interlocked.Decrement(ref _shortWritersBusy);
        }
    }

    private static async Task Change(NpgsqlConnection connection, Random random, string name, Guid[] rows)
    {
        // Locked in one order, so that writers wait for each other without a deadlock.
        await connection.ExecuteAsync("select id from public.notes where id = any(@rows) order by id for update", new { rows });
        await connection.ExecuteAsync(
            "savepoint s; update public.notes set name = 'undone' where id = any(@rows); rollback to s", new { rows });
        await connection.ExecuteAsync("update public.notes set name = @name where id = any(@rows)", new { name, rows });
        for (var again = random.Next(3); again > 0; again--)
        {
            await connection.ExecuteAsync(
                "update public.notes set name = @name, priority = @again where id = @row",
                new { name, again, row = rows[random.Next(rows.Length)] });
        }
    }

    private async Task<List<Entry>> Follow(long last, Func<bool> done)
    {
        var all = new List<Entry>();
        for (var finishing = false; ;)
        {
            var stop = finishing;
            finishing = done();
            var more = await Read(all.Count == 0 ? last : all[^1].Id);
            all.AddRange(more);
            if (stop && more.Count == 0)
            {
                return all;
            }
            await Task.Yield();
        }
    }

    private async Task<List<Entry>> Read(long after)
    {
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        return (await connection.QueryAsync<Entry>(
            "select id, table_name, row_id, op, (row ->> 'version')::int as version, row ->> 'name' as name from live.changes"
            + " where id > @after and table_name = 'public.notes' order by id", new { after })).AsList();
    }

    private async Task Write(IEnumerable<Guid> notes)
    {
        await world.Execute(TableSql);
        await world.Execute("insert into public.notes (id, name) select n, 'Note' from unnest(@ids) n", new { ids = notes.ToArray() });
    }

    // A table of the log's simplest kind: at commit each row is told once, as it is then. (Writers of the catalogue wait for each other
    // from their first row on.)
    private const string TableSql = """
        create table if not exists public.notes (id uuid primary key, name text not null, priority int not null default 0,
            version int not null default 1, updated_at timestamptz);
        create table if not exists public.notes_told (id uuid primary key, version int not null);
        create or replace function public.tell_note() returns trigger language plpgsql as $$
        declare
          v_note public.notes;
        begin
          perform live.lock();
          select * into v_note from public.notes where id = new.id;
          if v_note.version is distinct from (select version from public.notes_told where id = new.id) then
            insert into public.notes_told values (v_note.id, v_note.version) on conflict (id) do update set version = excluded.version;
            perform live.publish('public.notes', tg_op, v_note.id::text, to_jsonb(v_note), array['everyone']);
          end if;
          return null;
        end $$;
        create or replace trigger touch before update on public.notes for each row execute function util.touch();
        drop trigger if exists tell on public.notes;
        create constraint trigger tell after insert or update on public.notes deferrable initially deferred for each row
          execute function public.tell_note();
        """;
}
