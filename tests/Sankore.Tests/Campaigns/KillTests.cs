using System.Globalization;
using Dapper;
using Npgsql;
using Sankore.Campaigns.Mailing;

namespace Sankore.Tests.Campaigns;

/// <summary>Whatever kills the server, nobody gets a message twice, and nothing is said to have been sent that was not.</summary>
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
        var segment = await connection.ExecuteScalarAsync<Guid>(Mailings.ContactsSql, new { email = Cast.HeadOnPremium, word, count = Recipients });
        var program = SankoreProcess.Start(folder, ["--demo", "none"], database, environment: Settings(sink.Port));
        await program.Ready();
        using var client = await program.As(Cast.HeadOnPremium);
        var campaign = await client.Draft(word, segment);
        await client.Act(campaign, "send").Json(202);

        for (var kill = 1; kill <= Kills; kill++)
        {
            var enough = Math.Max(sink.Count + 1, Recipients * kill / (Kills + 4));
            await Waiting.Until(() => sink.Count >= enough, () => $"{enough} have arrived before kill {kill}, of {sink.Count}: {program.Output}", 90);
            await program.Signal("KILL");
            await program.DisposeAsync();
            program = SankoreProcess.Start(folder, ["--demo", "none"], database, program.Address, Settings(sink.Port));
        }
        await program.Ready();
        var figures = await client.Until(campaign, "sent", 120);

        var arrived = sink.Mails.Select(Mailings.MessageId).ToList();
        arrived.ShouldBeUnique();
        var states = (await connection.QueryAsync<(Guid Id, string Status, string? Code)>("select id, status, error_code from campaigns.emails_sent where campaign_id = @id", new { id = campaign.Id() })).ToDictionary(m => m.Id);
        states.Count.ShouldBe(Recipients);
        arrived.ShouldBeSubsetOf(states.Keys);
        // What is said to be sent has arrived; what may have arrived is said to be unknown, and nothing else is left.
        states.Values.Where(m => m.Status == "sent").Select(m => m.Id).Except(arrived).ShouldBeEmpty();
        states.Values.Where(m => m.Status != "sent").ShouldAllBe(m => m.Status == "failed" && m.Code == "OUTCOME_UNKNOWN");
        var unknown = states.Values.Count(m => m.Status != "sent");
        unknown.ShouldBe(figures.Number("unknown"));
        // At each kill at most what the connections had in hand.
        unknown.ShouldBeLessThanOrEqualTo(Kills * 7 * CampaignBatchJob.MostTogether);
        figures.Number("sent").ShouldBe(Recipients - unknown);
        TestContext.Current.SendDiagnosticMessage($"{arrived.Count} of {Recipients} arrived, {unknown} unknown of which {arrived.Count - figures.Number("sent")} arrived");
        await program.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static Dictionary<string, string> Settings(int port) => new()
    {
        ["Sankore__Mail__From"] = "Sankoré <no-reply@sankore.test>",
        ["Sankore__Mail__Smtp__Host"] = "127.0.0.1",
        ["Sankore__Mail__Smtp__Port"] = port.ToString(CultureInfo.InvariantCulture),
        ["Sankore__Mail__Smtp__Security"] = "none",
        ["Sankore__Jobs__LeaseSeconds"] = "2",
    };
}
