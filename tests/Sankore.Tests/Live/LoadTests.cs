using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Platform.Live;

namespace Sankore.Tests.Live;

/// <summary>Bursts, a reader that does not read, and a database connection that breaks.</summary>
public sealed class LoadTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData(200)]
    [InlineData(1500)]
    public async Task A_burst_in_one_transaction_comes_complete_and_in_order(int count)
    {
        var word = Catalogue.Word();
        await world.Heard();
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnGratuit));
        await world.InsertModules(word, count, new string('é', 400));

        await Waiting.Until(() => stream.Events.Count >= count || stream.Ended.IsCompleted, "the whole burst comes");
        stream.Ended.IsCompleted.ShouldBeFalse();
        stream.Events.ShouldAllBe(e => e.Type == "change" && e.Op == "INSERT");
        stream.Events.Select(e => e.Row.Text("name")).ShouldBe(Enumerable.Range(1, count).Select(n => $"{word} {n:00000}"));
        stream.Events.Select(e => e.Id).ShouldBe(stream.Events.Select(e => e.Id).Order());
        await world.Execute("delete from tenancy.modules where code like @word || '-%'", new { word });
    }

    [Fact]
    public async Task A_reader_that_does_not_read_is_let_go_and_disturbs_nobody()
    {
        var word = Catalogue.Word();
        var hub = world.App.Services.GetRequiredService<LiveHub>();
        await Waiting.Until(() => hub.Count == 0, "the streams of other tests are over");
        await world.InsertModules(word, 1, string.Concat(Enumerable.Repeat("🎓", 500)));
        await world.Heard();
        await using var attentive = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnGratuit));
        using var deaf = await OpenDeaf(await world.Token(Cast.Super));
        await Waiting.Until(() => hub.Count == 2, "both streams are open");

        for (var heard = 0; heard < 3000; heard += 100)
        {
            await Cluster.Execute(world.AdminConnection, TellAgain(word, heard));
            await Waiting.Until(
                () => attentive.Events.Count >= heard + 100 || attentive.Ended.IsCompleted, "the attentive reader hears everything", 60);
        }
        attentive.Events.Select(e => e.Row.Text("name")).ShouldBe(Enumerable.Range(1, 3000).Select(n => $"{word} {n:00000}"));
        await Waiting.Until(() => hub.Count == 1, "the deaf reader is let go");
        attentive.Ended.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_lost_database_connection_loses_no_change()
    {
        var module = await world.Included("gratuit");
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnGratuit));
        for (var round = 1; round <= 3; round++)
        {
            (await world.Sql<long>(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database()"
                + " and query = 'listen live'")).ShouldBe(1);
            await world.Rename(module, $"Tour {round}");
            await stream.Hears(module, $"Tour {round}");
            await Waiting.Until(async () => await world.Sql<long>(
                "select count(*) from pg_stat_activity where datname = current_database() and query = 'listen live'") == 1,
                "the node listens again");
        }
        stream.NamesOf(module).ShouldBe(["Tour 1", "Tour 2", "Tour 3"]);
        stream.Events.ShouldAllBe(e => e.Type == "change");
    }

    [Fact]
    public async Task A_database_that_drops_every_connection_loses_no_change()
    {
        var module = await world.Included("gratuit");
        using var head = await world.As(Cast.HeadOnGratuit);
        await using var stream = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnGratuit));
        await world.Execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
        await world.Rename(module, "Après la coupure");
        await stream.Hears(module, "Après la coupure");
        await Waiting.Until(async () => (await head.Ask(HttpMethod.Get, "/health/ready")).IsSuccessStatusCode, "the node is ready again");
        await Waiting.Until(async () => (await head.Ask(HttpMethod.Get, "/api/me")).IsSuccessStatusCode, "requests are answered again");
    }

    /// <summary>Tells a hundred times what the log says of one module, of others: to make as many takes ten times as long.</summary>
    private static string TellAgain(string word, int before) => $"""
        do $$
        declare
          v_row    jsonb;
          v_topics text[];
        begin
          select max(c.row::text)::jsonb, array_agg(distinct topic) into v_row, v_topics
          from live.changes c, unnest(c.topics) topic where c.row ->> 'name' = '{word} 00001';
          for n in 1..20 loop
            perform live.publish('tenancy.modules', 'INSERT', gen_random_uuid()::text,
              v_row || jsonb_build_object('name', '{word} ' || lpad(i::text, 5, '0')), v_topics)
            from generate_series({before} + 5 * n - 4, {before} + 5 * n) i;
            commit;
          end loop;
        end $$
        """;

    private async Task<Socket> OpenDeaf(string token)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 1024 };
        await socket.ConnectAsync(world.Address.Host, world.Address.Port);
        await socket.SendAsync(
            Encoding.ASCII.GetBytes($"GET /live HTTP/1.1\r\nHost: {world.Address.Authority}\r\nAuthorization: Bearer {token}\r\n\r\n"));
        return socket;
    }
}
