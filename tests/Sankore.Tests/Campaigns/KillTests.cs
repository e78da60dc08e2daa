using System.Globalization;
using System.Text;
using System.Text.Json;
using Dapper;
using Npgsql;
using Sankore.Campaigns;

namespace Sankore.Tests.Campaigns;

/// <summary>
/// Whatever kills the server, nobody gets a message twice, nothing is said to have been sent that was not, and no row is imported twice.
/// </summary>
[Collection(ProgramTests.Name)]
public sealed class KillTests
{
    private static readonly int Recipients = Effort.Of(2_000, 5_000);
    private static readonly int Kills = Effort.Of(4, 10);
    private static readonly int KillsOnBadLines =
        int.TryParse(Environment.GetEnvironmentVariable("SANKORE_KILLS"), out var kills) ? kills : Effort.Of(2, 20);

    [Fact]
    public async Task The_server_is_killed_many_times_during_a_campaign_and_nobody_is_written_to_twice()
    {
        await using var sink = await SmtpSink.Start();
        var (folder, database, word) = (SankoreProcess.NewFolder(), await Cluster.CreateDatabase(), Catalogue.Word());
        await using var connection = new NpgsqlConnection(database);
        var segment =
            await connection.ExecuteScalarAsync<Guid>(Mailings.ContactsSql, new { email = Cast.HeadOnPremium, word, count = Recipients });
        var program = SankoreProcess.Start(folder, ["--demo", "none"], database, environment: Settings(sink.Port));
        await program.Ready();
        using var client = await program.As(Cast.HeadOnPremium);
        var campaign = await client.Draft(word, segment);
        await client.Act(campaign, "send").Json(202);

        for (var kill = 1; kill <= Kills; kill++)
        {
            var enough = Math.Max(sink.Count + 1, Recipients * kill / (Kills + 4));
            await Waiting.Until(
                () => sink.Count >= enough, () => $"{enough} have arrived before kill {kill}, of {sink.Count}: {program.Output}", 90);
            await program.Signal("KILL");
            await program.DisposeAsync();
            program = SankoreProcess.Start(folder, ["--demo", "none"], database, program.Address, Settings(sink.Port));
        }
        await program.Ready();
        var figures = await client.Until(campaign, "sent", 120);

        var arrived = sink.Mails.Select(Mailings.MessageId).ToList();
        arrived.ShouldBeUnique();
        var unknown = await Unknown(connection, campaign.Id(), arrived);
        unknown.ShouldBe(figures.Number("unknown"));
        // At each kill at most what the connections had in hand.
        unknown.ShouldBeLessThanOrEqualTo(Kills * 7 * CampaignBatchJob.LargestGroup);
        figures.Number("sent").ShouldBe(Recipients - unknown);
        TestContext.Current.SendDiagnosticMessage(
            $"{arrived.Count} of {Recipients} arrived, {unknown} unknown of which {arrived.Count - figures.Number("sent")} arrived");
        await program.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_server_is_killed_while_a_bad_mail_server_answers_and_all_get_theirs_once()
    {
        var people = KillsOnBadLines * 40;
        await using var server = new BadServer();
        var (folder, database, word) = (SankoreProcess.NewFolder(), await Cluster.CreateDatabase(), Catalogue.Word());
        await using var connection = new NpgsqlConnection(database);
        var segment =
            await connection.ExecuteScalarAsync<Guid>(Mailings.ContactsSql, new { email = Cast.HeadOnPremium, word, count = people });
        var program = SankoreProcess.Start(folder, ["--demo", "none"], database, environment: Settings(server.Port));
        await program.Ready();
        using var client = await program.As(Cast.HeadOnPremium);
        var campaign = await client.Draft(word, segment);
        await client.Act(campaign, "send").Json(202);
        for (var kill = 1; kill <= KillsOnBadLines; kill++)
        {
            var enough = Math.Min(server.Taken.Count + 15, people * 9 / 10);
            await Until(connection, () => Task.FromResult(server.Taken.Count >= enough), $"{enough} are taken before kill {kill}");
            await program.Signal("KILL");
            await program.DisposeAsync();
            program = SankoreProcess.Start(folder, ["--demo", "none"], database, program.Address, Settings(server.Port));
        }
        await program.Ready();
        server.IsWell = true;
        JsonElement figures = default;
        await Until(connection, async () => (figures = await client.Figures(campaign)).Text("status") == "sent", "all is sent");

        await AllGotTheirsOnce(connection, campaign.Id(), server, people);
        TestContext.Current.SendDiagnosticMessage(
            $"{KillsOnBadLines} kills: {server.Taken.Count} of {people} taken, {figures.Number("unknown")} unknown"
            + $", {server.Refused} bad answers");
        await program.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Waits until something holds; what was put off is due at once.</summary>
    private static Task Until(NpgsqlConnection connection, Func<Task<bool>> holds, string what) => Waiting.Until(async () =>
    {
        await connection.ExecuteAsync("""
            update campaigns.emails_sent set next_attempt_at = now() where status = 'pending' and next_attempt_at > now();
            update campaigns.email_campaigns set resumes_at = now() where resumes_at > now();
            update util.job_queue set run_at = now(), attempts = least(attempts, 1) where status = 'pending' and run_at > now();
            select pg_notify('jobs', '')
            """);
        return await holds();
    }, what, 240);

    private static async Task AllGotTheirsOnce(NpgsqlConnection connection, Guid campaign, BadServer server, int people)
    {
        server.Taken.ShouldBeUnique("nobody gets it twice");
        (await connection.ExecuteScalarAsync<long>("select count(*) from campaigns.suppressions")).ShouldBe(0, "nobody is blamed");
        var states = (await connection.QueryAsync<(Guid Id, string Status, string? Code)>(
            "select id, status, error_code from campaigns.emails_sent where campaign_id = @id", new { id = campaign })).ToList();
        states.ShouldAllBe(m => m.Status == "sent" || (m.Status == "failed" && m.Code == "OUTCOME_UNKNOWN"), "nobody is forgotten");
        states.Count.ShouldBe(people);
        states.Where(m => m.Status == "sent").Select(m => m.Id).Except(server.Taken).ShouldBeEmpty("who is said to have it has it");
    }

    /// <summary>A mail server that refuses for the moment, or hangs up, in every phase, and takes most mails all the same.</summary>
    private sealed class BadServer : IAsyncDisposable
    {
        private static readonly Dictionary<string, string[]> Answers = new()
        {
            ["GREETING"] = ["421 4.3.2 too busy", ScriptedSmtp.Cut],
            ["EHLO"] = ["421 4.3.2 too busy", ScriptedSmtp.Cut],
            ["MAIL"] = ["421 4.7.0 try again", "452 4.3.1 out of space", ScriptedSmtp.Cut],
            ["RCPT"] = ["421 4.3.2 try again", "452 4.2.2 mailbox full", "552 5.2.2 mailbox full", "552 exceeded storage",
                ScriptedSmtp.Cut],
            ["DATA"] = ["421 4.3.2 try again", "452 4.3.1 out of space", ScriptedSmtp.Cut],
            ["."] = ["421 4.3.2 try again", "452 4.3.1 out of space", "552 5.2.2 mailbox full", ScriptedSmtp.Cut],
        };

        private readonly System.Random _random = new(14);
        private readonly ScriptedSmtp _server;
        private int _refused;

        public BadServer() => _server = new ScriptedSmtp(Answer);

        public int Port => _server.Port;

        /// <summary>Whether it only takes mails from now on.</summary>
        public bool IsWell { get; set; }

        /// <summary>The messages that it took, whether it could say so or not.</summary>
        public System.Collections.Concurrent.ConcurrentQueue<Guid> Taken { get; } = new();

        public int Refused => _refused;

        public ValueTask DisposeAsync() => _server.DisposeAsync();

        private string? Answer(string command)
        {
            string? answer = null;
            lock (_random)
            {
                if (!IsWell && _random.Next(25) == 0
                    && Answers.FirstOrDefault(a => command.StartsWith(a.Key, StringComparison.Ordinal)).Value is { } answers)
                {
                    answer = answers[_random.Next(answers.Length)];
                    _refused++;
                }
            }
            if (command.StartsWith(".\n", StringComparison.Ordinal) && answer is null or ScriptedSmtp.Cut)
            {
                Taken.Enqueue(Mailings.MessageId(command.ReplaceLineEndings("\n")));
            }
            return answer;
        }
    }

    /// <summary>How many are said to be of unknown outcome, when all the others are said to be sent and have arrived.</summary>
    private static async Task<int> Unknown(NpgsqlConnection connection, Guid campaign, List<Guid> arrived)
    {
        var states = (await connection.QueryAsync<(Guid Id, string Status, string? Code)>(
            "select id, status, error_code from campaigns.emails_sent where campaign_id = @campaign", new { campaign }))
            .ToDictionary(m => m.Id);
        states.Count.ShouldBe(Recipients);
        arrived.ShouldBeSubsetOf(states.Keys);
        // What is said to be sent has arrived; what may have arrived is said to be unknown, and nothing else is left.
        states.Values.Where(m => m.Status == "sent").Select(m => m.Id).Except(arrived).ShouldBeEmpty();
        states.Values.Where(m => m.Status != "sent").ShouldAllBe(m => m.Status == "failed" && m.Code == "OUTCOME_UNKNOWN");
        return states.Values.Count(m => m.Status != "sent");
    }

    [Fact]
    public async Task The_server_is_killed_during_an_import_and_no_row_is_there_twice()
    {
        var rows = Effort.Of(30_000, 40_000);
        var (folder, database) = (SankoreProcess.NewFolder(), await Cluster.CreateDatabase());
        await using var connection = new NpgsqlConnection(database);
        var program = SankoreProcess.Start(folder, ["--demo", "none"], database, environment: ShortLease);
        await program.Ready();
        using var client = await program.As(Cast.HeadOnPremium);
        var id = await Import(client, rows);

        foreach (var percent in new[] { 1, 50 })
        {
            await Waiting.Until(
                async () => await Percent() is var reached && reached >= percent && reached < 100, $"{percent} % is told", 60);
            await program.Signal("KILL");
            await program.DisposeAsync();
            // What was told is of the run that died.
            await connection.ExecuteAsync("update util.imports set percent = 0 where id = @id", new { id });
            program = SankoreProcess.Start(folder, ["--demo", "none"], database, program.Address, ShortLease);
        }
        await program.Ready();
        await Waiting.Until(
            async () => (await client.Ask(HttpMethod.Get, $"/api/campaigns/imports/{id}").Json()).Text("status") == "completed",
            "it is imported", 90);

        var counted = await connection.QuerySingleAsync<(long Rows, long Contacts, long Organizations, long Parts, string Counts)>("""
            select (select count(*) from util.import_rows where import_id = i.id),
              (select count(*) from campaigns.contacts where user_id = i.user_id),
              (select count(*) from campaigns.organizations where user_id = i.user_id), (select count(*) from util.import_parts),
                i.counts::text
            from util.imports i where i.id = @id
            """, new { id });
        counted.ShouldBe(
            (rows, rows, 100, 0, JsonSerializer.Serialize(new { imported = rows }).Replace(":", ": ", StringComparison.Ordinal)));
        await program.DisposeAsync();
        Directory.Delete(folder, recursive: true);

        Task<int> Percent() => connection.ExecuteScalarAsync<int>("select percent from util.imports where id = @id", new { id });
    }

    private static async Task<Guid> Import(HttpClient client, int rows)
    {
        var csv = string.Concat(Enumerable.Range(0, rows).Select(i => $"Organisation {i % 100};p{i}@exemple.cg\n"));
        using var form = new MultipartFormDataContent { { new ByteArrayContent(Encoding.UTF8.GetBytes(csv)), "file", "x.csv" } };
        return (await client.Ask(HttpMethod.Post, "/api/campaigns/imports", form).Json(202)).Id();
    }

    private static Dictionary<string, string> ShortLease => new() { ["Sankore__Jobs__LeaseSeconds"] = "2" };

    private static Dictionary<string, string> Settings(int port) => new()
    {
        ["Sankore__Mail__From"] = "Sankoré <no-reply@sankore.test>",
        ["Sankore__Mail__Smtp__Host"] = "127.0.0.1",
        ["Sankore__Mail__Smtp__Port"] = port.ToString(CultureInfo.InvariantCulture),
        ["Sankore__Mail__Smtp__Security"] = "none",
        ["Sankore__Jobs__LeaseSeconds"] = "2",
    };
}
