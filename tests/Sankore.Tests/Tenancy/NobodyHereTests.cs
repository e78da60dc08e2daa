using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Sankore.Tenancy;

namespace Sankore.Tests.Tenancy;

/// <summary>Whoever has an account and no place in the network is shown nothing of it, and changes nothing in it.</summary>
public sealed class NobodyHereTests(World world) : IClassFixture<World>
{
    /// <summary>One's own: who one is, and the menu, which is empty. And the form of a file, which is blank.</summary>
    private static readonly string[] Own = ["/api/me", "/api/me/menu", "/api/imports/{kind}/template"];

    /// <summary>
    /// What accounts are for: signing in and the account itself. A built module's routes refuse everybody who has not the module
    /// (ModuleRouteTests).
    /// </summary>
    private static bool IsOfTheNetwork(RouteEndpoint e) =>
        e.RoutePattern.RawText is { } path && path.StartsWith("/api/", StringComparison.Ordinal)
            && !path.StartsWith("/api/auth/", StringComparison.Ordinal) && !Own.Contains(path.TrimEnd('/'))
        && e.Metadata.GetMetadata<RequireModuleAttribute>() is null;

    [Theory]
    [InlineData("member")]
    [InlineData("visitor")]
    [InlineData("premium_member")]
    public async Task Every_route_answers_with_nothing_and_changes_nothing(string role)
    {
        using var client = await Somebody(role);
        var blanks = await Blanks();
        var (before, asked) = (await Fingerprint(), 0);
        foreach (var (method, template) in Routes())
        {
            var path = Filled(template, blanks) + (template == "/api/imports/{kind}" ? $"?name=ecoles.csv&group={blanks["groups"]}" : "");
            foreach (var body in method is "GET" or "DELETE" ? new string?[] { null } : template == "/api/imports/{kind}" ? [File()]
                : [await Body(path), "{}"])
            {
                HttpContent? content = body is null ? null
                    : template.EndsWith("/logo", StringComparison.Ordinal) ? PictureFiles.Form(PictureFiles.Of(9, 9))
                    : new StringContent(body, Encoding.UTF8, "application/json");
                using var answer = await client.Ask(new HttpMethod(method), path, content, method == "PUT" ? "\"1\"" : null);
                var text = await answer.Body();
                // What is not filled in may be said first: it tells nothing.
                ((int)answer.StatusCode)
                    .ShouldBeOneOf(
                        body == "{}" ? [400, 403, 404] : method == "GET" ? [200, 403, 404] : [403, 404], $"{method} {path} {body}: {text}");
                if (answer.IsSuccessStatusCode)
                {
                    Rows(JsonElement.Parse(text)).ShouldBe(0, $"{path}: {text}");
                }
                blanks.Values.Concat(["Premium", "Groupe", "sankore.test"])
                    .Where(known => known.Length > 6 && !path.Contains(known, StringComparison.Ordinal))
                    .ShouldAllBe(known => !text.Contains(known), $"{method} {path}: {text}");
                asked++;
            }
        }
        asked.ShouldBeGreaterThan(50);
        (await Fingerprint()).ShouldBe(before);
    }

    [Theory]
    [InlineData("member")]
    [InlineData("visitor")]
    [InlineData("premium_member")]
    public async Task Their_own_view_has_no_place_no_plan_and_no_module(string role)
    {
        using var client = await Somebody(role);
        var me = await client.Ask(HttpMethod.Get, "/api/me").Json();
        me.GetProperty("roles").EnumerateArray().Select(r => r.GetString()).ShouldBe([role]);
        me.GetProperty("memberships").GetArrayLength().ShouldBe(0);
        me.GetProperty("permissions").GetArrayLength().ShouldBe(0);
        me.GetProperty("plan").ValueKind.ShouldBe(JsonValueKind.Null);
        (await client.Menu()).ShouldBeEmpty();
    }

    private async Task<HttpClient> Somebody(string role)
    {
        var client = world.Nobody();
        var email = await world.Register();
        await world.Execute(
            "update rbac.user_roles set role_id = (select id from rbac.roles where role_name = @role) where user_id = (select id"
            + " from auth.users where email = @email)", new { role, email });
        client.Bears(await client.Login(email));
        return client;
    }

    private IEnumerable<(string Method, string Template)> Routes() =>
        ((IEndpointRouteBuilder)world.App).DataSources.SelectMany(d => d.Endpoints).OfType<RouteEndpoint>().Where(IsOfTheNetwork)
        .SelectMany(e => (e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Select(m => (m, e.RoutePattern.RawText!)));

    /// <summary>Rows that are there, for the blanks of the routes.</summary>
    private async Task<Dictionary<string, string>> Blanks() => new()
    {
        ["modules"] = (await world.Sql<Guid>("select module_id from tenancy.included_modules limit 1")).ToString(),
        ["categories"] = (await world.Sql<Guid>("select id from tenancy.business_categories limit 1")).ToString(),
        ["plans"] = (await world.Sql<Guid>("select id from tenancy.subscription_plans limit 1")).ToString(),
        ["groups"] = (await world.GroupId("g001")).ToString(),
        ["schools"] = (await world.SchoolId("s0001")).ToString(),
        ["subscriptions"] = (await world.Sql<Guid>("select id from tenancy.subscriptions limit 1")).ToString(),
        ["memberships"] = (await world.Sql<Guid>("select id from tenancy.memberships where role = 'teacher' limit 1")).ToString(),
        ["users"] = (await world.IdOf(Cast.Teacher1)).ToString(),
        ["staff"] = (await world.IdOf(Cast.Teacher1)).ToString(),
        ["invitations"] = Guid.Empty.ToString(),
        ["api-keys"] = Guid.Empty.ToString(),
        ["undo"] = (await Deleted()).ToString(),
        ["code"] = await world.Sql<string>("select code from tenancy.modules limit 1"),
        ["role"] = "admin",
        ["kind"] = "schools",
        ["provider"] = "generic",
        ["imports"] = (await Import()).ToString(),
    };

    /// <summary>What somebody else has deleted.</summary>
    private async Task<Guid> Deleted() => await world.Sql<Guid>(
        "insert into util.deleted_rows (act_id, user_id, kind, content) values (gen_random_uuid(), @id, 'contacts', '{}') returning act_id",
        new { id = await world.IdOf(Cast.Teacher1) });

    private static string File() => $"Nom;Code;Niveau;Ville\nÉcole à venir;{Catalogue.Word()};Secondaire;Dolisie\n";

    /// <summary>A file that the operator is about to import.</summary>
    private async Task<Guid> Import()
    {
        using var admin = await world.As(Cast.Super);
        var group = await world.GroupId("g001");
        var id = (
            await admin.Ask(HttpMethod.Post, $"/api/imports/schools?name=ecoles.csv&group={group}", new StringContent(File())).Json(202))
            .Id();
        await Waiting.Until(
            () => world.Sql<bool>("select status = 'checked' from util.imports where id = @id", new { id }), "the file is checked");
        return id;
    }

    /// <summary>A route with its blanks filled in, each by what comes before it in the path.</summary>
    private static string Filled(string template, Dictionary<string, string> blanks)
    {
        var parts = template.Trim('/').Split('/');
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts[i].StartsWith('{'))
            {
                var name = parts[i].Trim('{', '}').Split(':')[0];
                parts[i] = blanks.TryGetValue(name, out var value) || blanks.TryGetValue(template.Trim('/').Split('/')[i - 1], out value)
                    ? value : throw new InvalidOperationException($"nothing to fill in {template} with");
            }
        }
        return "/" + string.Join('/', parts);
    }

    /// <summary>A body that somebody who may could send.</summary>
    private async Task<string> Body(string path)
    {
        var user = await world.IdOf(Cast.Teacher1);
        var body = new Dictionary<string, object?>
        {
            ["name"] = "Pris",
            ["code"] = Catalogue.Word(),
            ["slug"] = Catalogue.Word(),
            ["categoryId"] = await world.Sql<Guid>("select id from tenancy.business_categories limit 1"),
            ["planId"] = await world.Sql<Guid>("select id from tenancy.subscription_plans limit 1"),
            ["email"] = $"{Catalogue.Word()}@example.org",
            ["role"] = path.Contains("/api/users/", StringComparison.Ordinal) || path.EndsWith("/invitations", StringComparison.Ordinal)
            ? "admin" : "group_admin",
            ["schoolGroupId"] = await world.GroupId("g001"),
            ["userIds"] = new[] { user },
            ["moduleIds"] = new[] { await world.Sql<Guid>("select module_id from tenancy.included_modules limit 1") },
            ["version"] = 1,
        };
        return JsonSerializer.Serialize(body);
    }

    private static int Rows(JsonElement answer) => answer.ValueKind switch
    {
        JsonValueKind.Array => answer.GetArrayLength(),
        JsonValueKind.Object when answer.TryGetProperty("items", out var items) =>
        items.GetArrayLength() + answer.GetProperty("total").GetInt32(),
        _ => 1,
    };

    private Task<string> Fingerprint() => world.Sql<string>("""
        select concat_ws(' ', (select md5(string_agg(t::text, '' order by id)) from tenancy.modules t),
            (select md5(string_agg(t::text, '' order by id)) from tenancy.business_categories t),
          (select md5(string_agg(t::text, '' order by id)) from tenancy.subscription_plans t), (select count(*) from tenancy.plan_modules),
            (select md5(string_agg(t::text, '' order by id)) from tenancy.school_groups t),
          (select md5(string_agg(t::text, '' order by id)) from tenancy.schools t),
            (select md5(string_agg(t::text, '' order by id)) from tenancy.subscriptions t),
          (select md5(string_agg(t::text, '' order by id)) from tenancy.memberships t),
            (select count(*) + coalesce(sum(version), 0) from tenancy.user_module_permissions),
          (select count(*) from rbac.user_roles), (select count(*) from rbac.invitations), (select count(*) from rbac.api_keys),
            (select count(*) from auth.users), (select md5(string_agg(t::text, '' order by id)) from util.imports t))
        """);
}
