using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Dapper;
using Npgsql;
using Sankore.Platform.Mail;

namespace Sankore.Bench;

/// <summary>What a run of <see cref="MailBench"/> is asked for.</summary>
/// <param name="Mails">Messages of each campaign.</param>
/// <param name="Connections">To the mail server, of both senders.</param>
/// <param name="Bytes">Of the HTML; a message is somewhat larger.</param>
internal sealed record MailRun(int Mails, int Connections, int Bytes);

/// <summary>
/// Campaigns against a bare MailKit loop and against postfix's <c>smtp-source</c>, in turns, into the same <c>smtp-sink</c> with the same
/// number of connections and the same size: rows, personalisation and signature on one side, MailKit or the wire alone on the other.
/// </summary>
internal static class MailBench
{
    private const string ContactsSql = """
        insert into campaigns.contacts (user_id, email, name, organization_name, organization_id)
        select u.id, 'p' || i || '@exemple' || i % 50 || '.cg', 'Personne ' || i, o.name, o.id
        from auth.users u join campaigns.organizations o on o.user_id = u.id, generate_series(1, @mails) i where u.email = @email
        """;

    private const string Email = "head.s0001@sankore.test";

    public static async Task<int> Run(MailRun run)
    {
        var port = Leftovers.FreePorts(1);
        await using var sink = new Tool(
            "/usr/sbin/smtp-sink", Environment.IsPrivilegedProcess ? ["-u", "nobody", $"127.0.0.1:{port}", "1000"]
            : [$"127.0.0.1:{port}", "1000"]);
        Console.WriteLine($"{run.Mails} mails, {run.Connections} connections, HTML of {run.Bytes} bytes");
        foreach (var bits in new[] { 0, 1024, 2048 })
        {
            using var rsa = RSA.Create(bits == 0 ? 1024 : bits);
            var pem = bits == 0 ? null : rsa.ExportRSAPrivateKeyPem();
            var (rate, cpu, postgres, bytes) = await Campaign(run, port, pem);
            var bare = await MailKitPeer.Run(run, port, pem is null ? null : new MailSigner("sankore.test", "mail", pem));
            var wire = await Source(run, port, bytes);
            Console.WriteLine($"smtp-source        {wire,9:N0} mails/s  ({bytes} bytes)");
            Console.WriteLine($"MailKit alone      {bare,9:N0} mails/s");
            Console.WriteLine(
                $"campaign, {(pem is null ? "unsigned" : $"RSA-{bits}"),-8} {rate,9:N0} mails/s  {rate / bare,5:P0} of MailKit, "
                + $"{rate / wire:P0} of the wire; "
                + $"CPU a mail: server {cpu:N0}, PostgreSQL {postgres:N0} µs");
        }
        return 0;
    }

    private static async Task<double> Source(MailRun run, int port, int bytes)
    {
        var clock = Stopwatch.StartNew();
        await using var source = new Tool(
            "/usr/sbin/smtp-source",
            ["-d", "-s", $"{run.Connections}", "-m", $"{run.Mails * 3}", "-l", $"{bytes}", "-f", "a@exemple.cg", "-t", "b@exemple.cg",
            $"127.0.0.1:{port}"]);
        await source.Ended();
        return run.Mails * 3 / clock.Elapsed.TotalSeconds;
    }

    private static async Task<(double Rate, double Cpu, double Postgres, int Bytes)> Campaign(MailRun run, int port, string? pem)
    {
        var key = Path.GetTempFileName();
        await File.WriteAllTextAsync(key, pem);
        var settings = new Dictionary<string, string>
        {
            ["Sankore__Mail__From"] = "Bench <no-reply@sankore.test>",
            ["Sankore__Mail__Smtp__Host"] = "127.0.0.1",
            ["Sankore__Mail__Smtp__Port"] = port.ToString(CultureInfo.InvariantCulture),
            ["Sankore__Mail__Smtp__Security"] = "none",
            // Bulk leaves one connection to transactional mail.
            ["Sankore__Mail__Smtp__Connections"] = (run.Connections + 1).ToString(CultureInfo.InvariantCulture),
            ["Sankore__Mail__Smtp__MailsPerConnection"] = "1000000",
        };
        if (pem is not null)
        {
            (settings["Sankore__Mail__Dkim__Domain"], settings["Sankore__Mail__Dkim__Selector"], settings["Sankore__Mail__Dkim__KeyFile"]) =
                ("sankore.test", "mail", key);
        }
        await using var server = await ServerProcess.Start("small", environment: settings);
        await using var connection = new NpgsqlConnection(server.AdminConnection);
        await connection.ExecuteAsync(
            "insert into campaigns.organizations (user_id, name) select id, 'Org' from auth.users where email = @Email", new { Email });
        await connection.ExecuteAsync(ContactsSql, new { mails = run.Mails, email = Email });
        await connection.ExecuteAsync("analyze campaigns.contacts");
        using var client = new HttpClient { BaseAddress = server.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await server.Token(Email));
        await Send(client, connection, run.Bytes, "Aufwärmen", "p1");
        var (cpu, postgres) = (server.CpuSeconds, server.PostgresCpuSeconds);
        var seconds = await Send(client, connection, run.Bytes, "Rentrée", null);
        var bytes = 900 + run.Bytes * 2;
        File.Delete(key);
        return (
            run.Mails / seconds, (server.CpuSeconds - cpu) * 1e6 / run.Mails, (server.PostgresCpuSeconds - postgres) * 1e6 / run.Mails,
            bytes);
    }

    /// <summary>Sends a campaign; how long the messages took, from the first to the last that the server accepted.</summary>
    private static async Task<double> Send(HttpClient client, NpgsqlConnection connection, int bytes, string name, string? only)
    {
        object audience = new { kind = "all" };
        if (only is not null)
        {
            var segment = await Post(client, "/api/campaigns/segments", new { name, filter = new { q = only } });
            audience = new { kind = "segment", segmentId = segment.GetProperty("id").GetGuid() };
        }
        var content = "<p>Bonjour {{contact.name}} de {{organization.name}},</p>"
            + string.Concat(Enumerable.Repeat("<p>Les portes de l'etablissement sont ouvertes samedi.</p>\n", bytes / 57));
        var campaign = await Post(client, "/api/campaigns", new { name, subject = "Pour {{contact.name}}", content, audience });
        var id = campaign.GetProperty("id").GetGuid();
        await Post(client, $"/api/campaigns/{id}/send", new { });
        while (await connection.ExecuteScalarAsync<string>(
            "select status from campaigns.email_campaigns where id = @id", new { id }) == "sending")
        {
            await Task.Delay(50);
        }
        return await connection.ExecuteScalarAsync<double>(
            "select greatest(0.001, extract(epoch from max(sent_at) - min(sent_at)))::float8 from campaigns.emails_sent"
            + " where campaign_id = @id and status = 'sent'", new { id });
    }

    private static async Task<JsonElement> Post(HttpClient client, string path, object body)
    {
        var answer = await client.PostAsJsonAsync(path, body);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <summary>A program beside the bench.</summary>
    private sealed class Tool : IAsyncDisposable
    {
        private readonly Process _process;

        public Tool(string program, string[] arguments)
        {
            _process = Process.Start(new ProcessStartInfo(program, arguments))!;
            Leftovers.Add(this);
        }

        public Task Ended() => _process.WaitForExitAsync();

        public ValueTask DisposeAsync() => Leftovers.Once(this, async () =>
        {
            if (!_process.HasExited)
            {
                _process.Kill();
                await _process.WaitForExitAsync();
            }
            _process.Dispose();
        });
    }
}
