using System.Diagnostics;
using System.Net.Http.Json;
using Dapper;
using Npgsql;

namespace Sankore.Bench;

/// <summary>
/// Whether the time of an answer tells who has an account, or what is another tenant's: the same request for known and unknown, in turns,
/// each for an address or an id of its own.
/// </summary>
internal static class SilenceBench
{
    private const int Warm = 50;

    public static async Task<int> Run(int times)
    {
        Console.WriteLine($"silence: small demo network, {times} requests of each, known and unknown in turns");
        await using var server = await ServerProcess.Start("small");
        await using var database = new NpgsqlConnection(server.AdminConnection);
        var known = (await database.QueryAsync<string>("select email from auth.users where email like 'teacher%' order by email")).ToList();
        using var nobody = new HttpClient { BaseAddress = server.Address };
        // Five tries an address and kind of counter: more requests than addresses would be refused for that.
        times = Math.Min(times, known.Count - Warm);
        await Compare("sign-in, wrong password", times, i => Login(nobody, known[i]), i => Login(nobody, Unknown(i)));
        foreach (var what in new[] { "forgotPassword", "register" })
        {
            await Compare(what, times, i => Ask(nobody, what, known[i]), i => Ask(nobody, what, Unknown(i)));
        }

        using var member = await Requests.Client(server, "admin.g001@sankore.test");
        var foreign = (await database.QueryAsync<Guid>("""
            select s.id from tenancy.schools s join tenancy.school_groups g on g.id = s.school_group_id where g.code <> 'g001'
            """)).ToList();
        await Compare(
            "another tenant's school, and none", times, i => Get(member, foreign[i % foreign.Count]), _ => Get(member, Guid.NewGuid()));
        return 0;
    }

    private static string Unknown(int i) => $"teacher.s{i:0000}.9@sankore.example";

    private static Task<HttpResponseMessage> Login(HttpClient client, string email) =>
        client.PostAsJsonAsync("/api/auth/login", new { email, password = "not the password" });

    private static Task<HttpResponseMessage> Ask(HttpClient client, string what, string email) =>
        client.PostAsJsonAsync($"/api/auth/{what}", new { email });

    private static Task<HttpResponseMessage> Get(HttpClient client, Guid school) => client.GetAsync($"/api/schools/{school}");

    private static async Task Compare(
        string what, int times, Func<int, Task<HttpResponseMessage>> known, Func<int, Task<HttpResponseMessage>> unknown)
    {
        var (one, other, answers) = (new List<double>(), new List<double>(), new HashSet<string>());
        for (var i = 0; i < times + Warm; i++)
        {
            // Who is first changes from turn to turn.
            foreach (var (request, samples) in i % 2 == 0 ? [(known, one), (unknown, other)] : new[] { (unknown, other), (known, one) })
            {
                var clock = Stopwatch.StartNew();
                using var answer = await request(i);
                var text = await answer.Content.ReadAsStringAsync();
                if (i >= Warm)
                {
                    samples.Add(clock.Elapsed.TotalMilliseconds);
                }
                answers.Add($"{(int)answer.StatusCode} {System.Text.RegularExpressions.Regex.Replace(text, "\"traceId\":\"[^\"]*\"", "")}");
            }
        }
        if (answers.Count != 1)
        {
            throw new InvalidOperationException($"{what} is answered in {answers.Count} ways: {string.Join(" | ", answers)}");
        }
        one.Sort();
        other.Sort();
        Console.WriteLine($"{what}: known {Quartiles(one)}, unknown {Quartiles(other)} ms (p25, p50, p75)");
    }

    private static string Quartiles(List<double> sorted) =>
        string.Join(" ", new[] { 1, 2, 3 }.Select(q => $"{sorted[sorted.Count * q / 4]:0.00}"));
}
