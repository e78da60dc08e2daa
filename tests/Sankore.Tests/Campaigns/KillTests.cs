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
