using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using Npgsql;
using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Security;

namespace Sankore.Bench;

/// <summary>
/// Campaigns of a person who has much: files of contacts through the API, with the memory of the server meanwhile; then a million messages
/// of fifty campaigns beside those of other people, and what the pages and the API ask of them.
/// </summary>
internal static class CampaignsBench
{
    private const string Email = "head.s0001@sankore.test";
    private const int Campaigns = 50;

    // By set-based statements with all triggers on, in their last state: in production a message is inserted as pending, and updated twice
    // or more.
    private const string CampaignsSql = """
        insert into campaigns.email_campaigns (id, user_id, name, subject, content, status, started_at, finished_at, created_at)
        select gen_random_uuid(), u.id, 'Campagne ' || i, 'Rentrée ' || i, repeat('<p>Les portes sont ouvertes samedi.</p>', 100), 'sent',
          t.at, t.at + interval '10 minutes', t.at - interval '1 day'
        from auth.users u, generate_series(1, @campaigns) i, lateral (select now() - i * interval '1 day' as at) t where u.email = @email
        returning id
        """;

    private const string MessagesSql = """
        insert into campaigns.emails_sent (user_id, campaign_id, contact_id, recipient_email, recipient_organization, batch, status,
            attempts, error_code, sent_at, delivered_at, opened_at)
        select c.user_id, c.id, k.id, k.email, k.organization_name, k.i / 100, case when s.roll < 60 then 'delivered'
          when s.roll < 92 then 'sent' when s.roll < 97 then 'bounced' else 'failed' end, 1,
               case when s.roll >= 97 then 'DEFERRED' when s.roll >= 92 then '5.1.1' end, case when s.roll < 97 then s.at end, case
                 when s.roll < 60 then s.at + interval '4 seconds' end,
               case when s.roll < 20 then s.at + interval '2 hours' end
        from campaigns.email_campaigns c
        cross join lateral (select k.*, row_number() over () - 1 as i
            from (select * from campaigns.contacts where user_id = c.user_id limit @count) k) k
        cross join lateral (select (k.i * 7919) % 100 as roll, c.started_at + k.i * interval '5 milliseconds' as at) s
        where c.id = @id
        """;

    private const string OthersSql = """
        insert into campaigns.contacts (user_id, email) select u.id, 'p' || i || '@exemple' || i % 50 || '.cg'
        from (select id from auth.users where email like 'teacher.%' order by email limit 20) u, generate_series(1, @each) i;
        with made as (
          insert into campaigns.email_campaigns (user_id, name, subject, content, status, started_at) select distinct user_id, 'Autre', 'S',
            'C', 'sent', now() - interval '1 day' from campaigns.contacts k
          where k.user_id <> (select id from auth.users where email = @email) returning id, user_id)
        insert into campaigns.emails_sent (user_id, campaign_id, contact_id, recipient_email, status, sent_at)
        select m.user_id, m.id, k.id, k.email, 'sent', now() - interval '1 day' from made m
        join campaigns.contacts k on k.user_id = m.user_id
        """;

    public static async Task<int> Run(int messages, int rows)
    {
        Console.WriteLine(
            $"campaigns: {messages:N0} messages, files of {rows:N0} rows, {Environment.ProcessorCount} cores, client beside the server");
        foreach (var format in (string[])["csv", "xlsx"])
        {
            await using var server = await ServerProcess.Start("small");
            using var client = await Requests.Client(server, Email);
            await Import(server, client, format, rows);
            if (format == "xlsx")
            {
                await using var database = new NpgsqlConnection(server.AdminConnection);
                await database.OpenAsync();
                var largest = await Fill(database, messages, rows);
                await Ask(server, client, database, largest);
            }
        }
        return 0;
    }

    /// <summary>Imports a file, and again; the server has imported a small one before, so that its code is compiled.</summary>
    private static async Task Import(ServerProcess server, HttpClient client, string format, int rows)
    {
        await Import(client, "warm", format, await Book(format, "warm", 200));
        var file = await Book(format, "p", rows);
        foreach (var again in (string[])["", ", again"])
        {
            // What the last import has left to the collector is none of this one's.
            await Task.Delay(TimeSpan.FromSeconds(2));
            var (before, peak, done) = (server.ResidentBytes, 0L, false);
            var watching = Task.Run(async () =>
            {
                for (; !Volatile.Read(ref done); await Task.Delay(20))
                {
                    peak = Math.Max(peak, server.ResidentBytes);
                }
            });
            var (cpu, postgres, clock) = (server.CpuSeconds, server.PostgresCpuSeconds, Stopwatch.StartNew());
            var import = await Import(client, "p", format, file);
            var seconds = clock.Elapsed.TotalSeconds;
            Volatile.Write(ref done, true);
            await watching;
            var outcome = string.Join(
                ", ",
                ((string[])["imported", "updated", "unchanged", "duplicate", "invalid", "empty", "organizations"])
                .Select(name => (name, import.GetProperty(name).GetInt32())).Where(o => o.Item2 > 0));
            Console.WriteLine(
                $"{format}, {file.Length / 1e6:0.0} MB{again}: {seconds:0.0} s from the upload to the report "
                + $"({server.CpuSeconds - cpu:0.0} s of CPU, PostgreSQL {server.PostgresCpuSeconds - postgres:0.0}); server's resident "
                + $"memory {before / 1e6:0} MB before, {peak / 1e6:0} MB at most (+{(peak - before) / 1e6:0}); {outcome}");
        }
    }

    private static async Task<JsonElement> Import(HttpClient client, string name, string format, byte[] file)
    {
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(file), "file", $"{name}.{format}" },
            { new StringContent("0"), "organization" },
            { new StringContent("1"), "email" },
            { new StringContent("2"), "name" },
        };
        var import = await (await client.PostAsync(new Uri("/api/campaigns/imports", UriKind.Relative), form)).EnsureSuccessStatusCode()
            .Content.ReadFromJsonAsync<JsonElement>();
        while (import.GetProperty("status").GetString() is "uploaded" or "running")
        {
            await Task.Delay(50);
            import = await client.GetFromJsonAsync<JsonElement>($"/api/campaigns/imports/{import.GetProperty("id")}");
        }
        return import;
    }

    private static async Task<byte[]> Book(string format, string word, int rows)
    {
        using var file = new MemoryStream();
        var table = Enumerable.Range(0, rows)
            .Select(i => (IReadOnlyList<string?>)[$"Lycée {word} {i % 2000}", $"{word}{i}@exemple{i % 50}.cg", $"Personne {i}"])
            .Prepend(["Organisation", "Email", "Nom"]).ToAsyncEnumerable();
        await (format == "xlsx" ? XlsxExport.Write(file, "contacts", table, default) : CsvExport.Write(file, ';', table, default));
        return file.ToArray();
    }

    /// <summary>The messages; one campaign has 100,000 of them, as far as there are contacts. Which.</summary>
    private static async Task<Guid> Fill(NpgsqlConnection database, int messages, int contacts)
    {
        var clock = Stopwatch.StartNew();
        var ids = (await database.QueryAsync<Guid>(CampaignsSql, new { email = Email, campaigns = Campaigns })).ToList();
        var largest = Math.Min(100_000, contacts);
        foreach (var (i, id) in ids.Index())
        {
            await database.ExecuteAsync(
                MessagesSql, new { id, count = i == 0 ? largest : (messages - largest) / (Campaigns - 1) }, commandTimeout: 600);
        }
        await database.ExecuteAsync(OthersSql, new { each = 10_000, email = Email }, commandTimeout: 600);
        await database.ExecuteAsync("vacuum analyze", commandTimeout: 600);
        var counts = await database.QueryFirstAsync<(long Mine, long All)>(
            "select count(*) filter (where user_id = (select id from auth.users where email = @Email)), count(*)"
            + " from campaigns.emails_sent", new { Email });
        Console.WriteLine(
            $"{counts.Mine:N0} messages of one person in {Campaigns} campaigns, {counts.All - counts.Mine:N0} of others, loaded in "
            + $"{clock.Elapsed.TotalSeconds:0} s");
        return ids[0];
    }

    private static async Task Ask(ServerProcess server, HttpClient client, NpgsqlConnection database, Guid largest)
    {
        foreach (var path in (string[])
        [
            "/api/campaigns", "/campaigns/list", "/api/campaigns?q=campagne%204&sort=name", "/api/campaigns/dashboard", "/campaigns",
                $"/api/campaigns/{largest}/analytics", $"/api/campaigns/{largest}/details", $"/campaigns/{largest}",
            $"/api/campaigns/{largest}/recipients", $"/api/campaigns/{largest}/recipients?page=500",
            $"/api/campaigns/{largest}/recipients?status=bounced", $"/api/campaigns/{largest}/recipients?q=p4242",
            "/api/campaigns/contacts", "/api/campaigns/contacts?q=p4242", "/api/campaigns/contacts?q=Lyc%C3%A9e%20P%207",
        ])
        {
            var before = server.CpuSeconds + server.PostgresCpuSeconds;
            await Requests.Measure("GET " + path.Replace(largest.ToString(), "{id}", StringComparison.Ordinal), 100, _ =>
                client.GetStringAsync(new Uri(path, UriKind.Relative)));
            Console.WriteLine(
                $"    {(server.CpuSeconds + server.PostgresCpuSeconds - before) * 1000 / 101:0.0} ms of CPU each, server and PostgreSQL");
        }
        // As the program has it, for the rows that the rescue reads.
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        await Requests.Measure("rescue, nothing to do", 100, _ => Rescue(database));
        await database.ExecuteAsync("""
            alter table campaigns.email_campaigns disable trigger check_campaign;
            update campaigns.email_campaigns set status = 'sending' where id = @largest;
            update campaigns.campaign_counts set pending = 1 where campaign_id = @largest
            """, new { largest });
        await Requests.Measure("rescue, a campaign of 100,000 under way", 20, _ => Rescue(database));
    }

    private static async Task Rescue(NpgsqlConnection database)
    {
        var rescue = SankoreApp.Modules.SelectMany(m => m.Recurring).Single(w => w.Name == "campaigns: recover stalled campaigns");
        await using var transaction = await database.BeginTransactionAsync();
        await rescue.Work(new Session(database, transaction, Caller.Service, CancellationToken.None));
        await transaction.RollbackAsync();
    }
}
