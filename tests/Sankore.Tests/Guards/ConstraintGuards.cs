using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Sankore.Tests.Guards;

/// <summary>Whatever input can break of the schema's constraints is refused with a code of its own, and in words.</summary>
public sealed class ConstraintGuards(World world) : IClassFixture<World>
{
    // What a partition has is its parent's.
    private const string NamesSql = """
        select n.nspname || '.' || k.conname
        from pg_constraint k join pg_namespace n on n.oid = k.connamespace
        where n.nspname !~ '^(pg_|information_schema$)' and k.contype in ('p', 'u', 'c', 'f', 'x')
          and k.coninhcount = 0 and k.conparentid = 0
        union
        select n.nspname || '.' || c.relname
        from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname !~ '^(pg_|information_schema$)' and i.indisunique and not c.relispartition
        """;

    private const string PlaceSql = "select id from tenancy.memberships where user_id = @id";

    public static TheoryData<string> Reachable => [.. Breaches.All.Select(b => b.Constraint)];

    [Fact]
    public async Task Every_constraint_is_reached_by_input_or_says_why_not()
    {
        var names = (await world.Rows<string>(NamesSql)).Where(n => !n.StartsWith("util.migrations_meta", StringComparison.Ordinal))
            .ToList();
        var reached = Breaches.All.Select(b => b.Constraint).ToHashSet();
        names.Count.ShouldBeGreaterThan(230);
        foreach (var name in names)
        {
            var reasons = Breaches.Others.Where(o => Regex.IsMatch(name, o.Pattern)).ToList();
            (reasons.Count > 0 || reached.Contains(Bare(name))).ShouldBeTrue($"{name} is not accounted for");
        }
        reached.Except(names.Select(Bare)).ShouldBeEmpty("there is no such constraint");
        Breaches.Others.Where(o => !names.Exists(n => Regex.IsMatch(n, o.Pattern))).ShouldBeEmpty("no constraint has such a name");
    }

    [Fact]
    public async Task Every_constraint_that_stands_for_a_reason_exists()
    {
        var names = (await world.Rows<string>(NamesSql)).Select(Bare).ToHashSet();
        SankoreApp.Modules.SelectMany(m => m.Constraints.Keys).Except(names).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Reachable))]
    public async Task Input_that_would_break_it_is_refused_in_words_and_names_its_field(string constraint)
    {
        var breach = Breaches.All.Single(b => b.Constraint == constraint);
        foreach (var language in (string[])["fr", "en"])
        {
            using var client = await Client(breach);
            client.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
            var (method, path) = Address(breach);
            path = await Filled(path);
            var input = await Input(breach);
            if (breach.Value is Breaches.Twice)
            {
                using var first = await client.Ask(method, path, input);
                first.IsSuccessStatusCode.ShouldBeTrue();
            }

            using var response = await client.Ask(method, path, input);
            var answer = JsonElement.Parse(await response.Content.ReadAsStringAsync());

            answer.Text("code").ShouldBe(breach.Code, answer.ToString());
            ((int)response.StatusCode).ShouldBeInRange(400, 422);
            response.StatusCode.ShouldNotBe(HttpStatusCode.Unauthorized);
            var errors = answer.TryGetProperty("errors", out var found) ? found.EnumerateObject().ToList() : [];
            errors.Select(e => e.Name).ShouldBe(breach.IsSaid ? [breach.Field] : [], answer.ToString());
            // A key of the resources in place of a sentence means that there is no message.
            errors.ForEach(e => e.Value[0].GetString()!.ShouldContain(' '));
            answer.Text("title").ShouldContain(' ');
        }
    }

    [Fact]
    public async Task What_the_program_lets_through_the_tables_take()
    {
        var values = Nasty().ToList();
        var (sent, taken) = (0, 0);
        foreach (var breach in Breaches.All.Where(b => b.Value is string and not Breaches.Twice).DistinctBy(b => (b.Path, b.Field)))
        {
            using var client = await Client(breach);
            var (method, path) = Address(breach);
            // Who registers is counted by their address's sender, and would be put off.
            foreach (var value in values.Append((string)breach.Value!).Take(breach.Path.Contains("/auth/") ? 3 : values.Count))
            {
                var input = await Input(breach);
                input[breach.Field] = value;
                using var response = await client.Ask(method, await Filled(path), input);
                ((int)response.StatusCode).ShouldBeLessThan(500, $"{breach.Constraint}: {value}");
                var answer = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                answer.ShouldNotContain("UNPROCESSABLE", Case.Sensitive, $"{breach.Constraint}: {value}");
                (sent, taken) = (sent + 1, taken + (response.IsSuccessStatusCode ? 1 : 0));
            }
        }
        taken.ShouldBeGreaterThan(sent / 10, "what is refused by the program does not reach the tables");
    }

    /// <summary>What people type, copy and send, at and about the lengths that fields have.</summary>
    private static IEnumerable<string> Nasty()
    {
        string[] letters =
        [
            "a", "É", "e\u0301", "İ", "ß", "ς", "日", "\U0001F393", "\u200B", "\u00AD", "\uFEFF", "\u00A0", "\u2003", "\u0001", "\u0085",
            "\uD800", "'", "\"", "\\", "%", "<", "\t", "\n", "@", ".", "-", "_", "/", "0",
        ];
        var random = new System.Random(14);
        string[] addresses =
        [
            "İLKER{0}@exemple.cg", "\"a@b{0}\"@exemple.cg", "é{0}@école.cg", "a..b{0}@exemple.cg", "{0}@x_y.cg", "\u200B{0}@exemple.cg ",
            "{0}@EXEMPLE。cg", "ς{0}@ΑΣΣ.gr", "\"a{0}\"@exemple.cg", "\U0001F393{0}@exemple.cg", "o'{0}@exemple.cg", "{0}@faß.de",
        ];
        var made = Enumerable.Range(0, Effort.Of(30, 300)).Select(_ => string.Concat(
            Enumerable.Range(0, random.Next(1, 12)).Select(_ => letters[random.Next(letters.Length)])));
        var long_ = from length in new[] { 2, 40, 120, 160, 200, 250, 254, 500 }
                    from letter in new[] { "a", "é", "\U0001F393", "e\u0301" }
                    select string.Concat(Enumerable.Repeat(letter, length / letter.Length));
        return made.Concat(long_).Concat(addresses.Select(a => string.Format(null, a, Catalogue.Word())));
    }

    private static (HttpMethod Method, string Path) Address(Breach breach) => breach.Path.Split(' ') is [var verb, var rest]
        ? (new HttpMethod(verb), rest) : (HttpMethod.Post, breach.Path);

    [Fact]
    public async Task A_category_that_still_has_modules_is_not_deleted()
    {
        using var admin = await world.As(Cast.Super);
        var category = await world.Sql<Guid>("select category_id from tenancy.modules limit 1");
        var answer = await admin.Remove($"/api/categories/{category}");
        answer.Status.ShouldBe(HttpStatusCode.Conflict);
        (await world.Sql<long>("select count(*) from tenancy.business_categories where id = @category", new { category })).ShouldBe(1);
        answer.Code.ShouldBe("CATEGORY_IN_USE");
    }

    private static string Bare(string name) => name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..];

    private Task<HttpClient> Client(Breach breach) => breach.Path switch
    {
        "/api/auth/register" => Task.FromResult(world.Nobody()),
        _ when breach.Path.Contains("/api/campaigns", StringComparison.Ordinal) => world.As(Cast.HeadOnPremium),
        _ when breach.Path.Contains("/api/users", StringComparison.Ordinal) => world.As(Cast.Admin1),
        _ => world.As(Cast.Super),
    };

    private async Task<string> Filled(string path)
    {
        foreach (var word in Regex.Matches(path, @"\{(\w+)\}").Select(m => m.Groups[1].Value))
        {
            var id = word switch
            {
                "group" => await world.GroupId("g001"),
                "newGroup" => await NewGroup(),
                "teacher" => await world.IdOf(Cast.Teacher1),
                "module" => await world.ModuleId("bibliotheque"),
                _ => await world.Sql<Guid>(PlaceSql, new { id = await world.IdOf(Cast.Teacher1) }),
            };
            path = path.Replace($"{{{word}}}", id.ToString(), StringComparison.Ordinal);
        }
        return path;
    }

    private async Task<Guid> NewGroup()
    {
        using var admin = await world.As(Cast.Super);
        return (await admin.Ask(HttpMethod.Post, "/api/groups", new { name = $"Groupe {Catalogue.Word()}" }).Json(201)).Id();
    }

    /// <summary>What the route takes, but for the one field.</summary>
    private async Task<Dictionary<string, object?>> Input(Breach breach)
    {
        var word = Catalogue.Word();
        var input = new Dictionary<string, object?>
        {
            ["name"] = $"Essai {word}",
            ["email"] = $"{word}@exemple.cg",
            ["categoryId"] = await world.Sql<Guid>("select id from tenancy.business_categories order by id limit 1"),
            ["planId"] = await world.Sql<Guid>("select id from tenancy.subscription_plans order by id limit 1"),
            ["schoolId"] = await world.SchoolId("s0001"),
            ["role"] = "teacher",
            ["subject"] = "Essai",
            ["content"] = "<p>Essai</p>",
            ["version"] = 1,
            ["permissions"] = new[] { "tenancy.read" },
            ["password"] = Newcomers.Password,
        };
        if (breach.Value is not Breaches.Twice)
        {
            input[breach.Field] = breach.Value;
        }
        return input;
    }
}
