using System.Text.Json;
using Dapper;
using Npgsql;

namespace Sankore.Tests.Support;

/// <summary>A line of the log of assignments, as the superuser reads it.</summary>
public sealed record LogLine(
    long Id, string Action, string? Reason, Guid? UserId, Guid? ModuleId, Guid? CategoryId, Guid? SchoolId, Guid? SchoolGroupId,
    Guid? AssignedBy, string? Before, string? After)
{
    /// <summary>What it was for.</summary>
    public Guid? Target => ModuleId ?? CategoryId;

    /// <summary>The letters of <c>rwde</c> that were there before; null: nothing was assigned.</summary>
    public string? Had => Letters(Before);

    /// <summary>The letters of <c>rwde</c> that were asked for; null: to take away.</summary>
    public string? Asked => Letters(After);

    private static string? Letters(string? json) => json is null ? null
        : string.Concat(
            new[] { ("r", "read"), ("w", "write"), ("d", "delete"), ("e", "export") }.Where(
                p => JsonElement.Parse(json).GetProperty(p.Item2).GetBoolean()).Select(p => p.Item1));
}

/// <summary>Assigning modules: the requests of it, and what came of them.</summary>
public static class Assigning
{
    public static Task<Guid> ModuleId(this World world, string code) =>
        world.Sql<Guid>("select id from tenancy.modules where code = @code", new { code });

    public static Task<Guid> CategoryId(this World world, string slug) =>
        world.Sql<Guid>("select id from tenancy.business_categories where slug = @slug", new { slug });

    public static Task<Guid> GroupId(this World world, string code) =>
        world.Sql<Guid>("select id from tenancy.school_groups where code = @code", new { code });

    public static Task<Guid> SchoolId(this World world, string code) =>
        world.Sql<Guid>("select id from tenancy.schools where code = @code", new { code });

    /// <summary>All rows, as the superuser.</summary>
    public static async Task<IReadOnlyList<T>> Rows<T>(this World world, string sql, object? args = null)
    {
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        return (await connection.QueryAsync<T>(sql, args)).AsList();
    }

    /// <summary>
    /// What came of a statement in some role: how many rows it touched or gave, or the state or reason that it was refused with.
    /// </summary>
    public static async Task<string> Tried(this World world, string role, Guid? userId, string sql, object? args = null)
    {
        try
        {
            return (await world.AsRole<object>(role, userId, sql, args)).Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (PostgresException e)
        {
            return e.SqlState == "SK001" ? e.MessageText : e.SqlState;
        }
    }

    /// <summary>Asks to assign a module.</summary>
    public static Task<HttpResponseMessage> Assign(
        this HttpClient client, Guid user, Guid module, object? body = null, string? ifMatch = null, string? language = null) =>
        client.Ask(HttpMethod.Put, $"/api/users/{user}/modules/{module}", body ?? new { }, ifMatch, language);

    /// <summary>Asks to assign a category.</summary>
    public static Task<HttpResponseMessage> AssignCategory(
        this HttpClient client, Guid user, Guid category, object? body = null, string? ifMatch = null, string? language = null) =>
        client.Ask(HttpMethod.Put, $"/api/users/{user}/categories/{category}", body ?? new { }, ifMatch, language);

    /// <summary>Asks to revoke a module.</summary>
    public static Task<HttpResponseMessage> Revoke(
        this HttpClient client, Guid user, Guid module, string? ifMatch = null, string query = "", string? language = null) =>
        client.Ask(HttpMethod.Delete, $"/api/users/{user}/modules/{module}{query}", null, ifMatch, language);

    /// <summary>Asks for something to be assigned to many.</summary>
    public static Task<HttpResponseMessage> Bulk(
        this HttpClient client, Guid group, object body, bool preview = false, string? language = null) =>
        client.Ask(HttpMethod.Post, $"/api/groups/{group}/assignments{(preview ? "/preview" : "")}", body, null, language);

    /// <summary>A person's assignments as somebody sees them.</summary>
    public static async Task<IReadOnlyList<JsonElement>> ModulesOf(this HttpClient client, Guid user) =>
        [.. (await client.Ask(HttpMethod.Get, $"/api/users/{user}/modules").Json()).EnumerateArray()];

    /// <summary>The caller's menu: the letters of <c>rwde</c> by code.</summary>
    public static async Task<Dictionary<string, string>> Menu(this HttpClient client) =>
        (await client.Ask(HttpMethod.Get, "/api/me/menu").Json()).EnumerateArray()
            .ToDictionary(
                e => e.Text("code"), e => string.Concat(e.GetProperty("permissions").EnumerateArray().Select(p => p.GetString()![..1])));

    /// <summary>Somebody's menu.</summary>
    public static async Task<Dictionary<string, string>> MenuOf(this World world, string email)
    {
        using var client = await world.As(email);
        return await client.Menu();
    }

    /// <summary>Why somebody has a module, or not, as the caller is told.</summary>
    public static Task<JsonElement> Why(this HttpClient client, Guid user, string code, string? language = null) =>
        client.Ask(HttpMethod.Get, $"/api/users/{user}/modules/{code}/why", null, null, language).Json();

    /// <summary>What <see cref="Catalogue.With"/> made, as an object again.</summary>
    public static JsonElement Element(this Dictionary<string, object?> body) => JsonSerializer.SerializeToElement(body);

    /// <summary>The last line of the log so far.</summary>
    public static Task<long> LastLine(this World world) =>
        world.Sql<long>("select coalesce(max(id), 0) from tenancy.module_assignment_logs");

    /// <summary>The lines of the log after one of them, oldest first.</summary>
    public static Task<IReadOnlyList<LogLine>> LinesAfter(this World world, long line) => world.Rows<LogLine>("""
        select id, action, reason, user_id, module_id, category_id, school_id, school_group_id, assigned_by, before::text, after::text
        from tenancy.module_assignment_logs where id > @line order by id
        """, new { line });

    /// <summary>A number that changes with any assignment.</summary>
    public static Task<long> AssignmentsNow(this World world) =>
        world.Sql<long>("select count(*) + coalesce(sum(hashtext(t::text)), 0) from tenancy.user_module_permissions t");

    /// <summary>Gives somebody another place.</summary>
    public static Task<int> Place(this World world, Guid user, string group, string? school, string role) => world.Execute("""
        insert into tenancy.memberships (id, user_id, school_group_id, school_id, role)
        select gen_random_uuid(), @user, g.id, (select id from tenancy.schools where code = @school), @role from tenancy.school_groups g
        where g.code = @group
        """, new { user, group, school, role });

    /// <summary>Some people of a group who have a role.</summary>
    public static async Task<Guid[]> PeopleOf(this World world, string group, string role, int count) => [.. await world.Rows<Guid>("""
        select m.user_id from tenancy.memberships m join tenancy.school_groups g on g.id = m.school_group_id
        where g.code = @group and m.role = @role order by m.user_id limit @count
        """, new { group, role, count })];

    /// <summary>Moves a group to another plan, or its subscription to another state.</summary>
    public static Task<int> Subscribe(this World world, string group, string? plan = null, string? status = null) => world.Execute("""
        update tenancy.subscriptions
        set plan_id = coalesce((select id from tenancy.subscription_plans where slug = @plan), plan_id), status = coalesce(@status, status)
        where school_group_id = (select id from tenancy.school_groups where code = @group)
        """, new { group, plan, status });
}
