using System.Text.Json;

namespace Sankore.Tests.Support;

/// <summary>A group of a test's own: on a plan of its own, with a school, an administrator and a teacher.</summary>
public sealed record Tenant(JsonElement Plan, JsonElement Group, JsonElement School, JsonElement Subscription, string Admin, string Teacher)
{
    public Guid PlanId => Plan.Id();
    public Guid GroupId => Group.Id();
    public Guid SchoolId => School.Id();
}

/// <summary>Plans, groups and schools that a test makes for itself, through the API; and people, who have the demo password.</summary>
public static class Tenants
{
    /// <summary>A plan with whole categories and with modules.</summary>
    public static Task<JsonElement> NewPlan(this HttpClient admin, Guid[]? categories = null, params Guid[] modules) =>
        admin.Ask(
            HttpMethod.Post, "/api/plans",
            new { name = $"Plan {Catalogue.Word()}", categoryIds = categories ?? [], modules = modules.Select(m => new { moduleId = m }) })
            .Json(201);

    /// <summary>
    /// A plan as a body to send back, with no modules or categories unless they are said: an answer counts modules where a request lists
    /// them.
    /// </summary>
    public static Dictionary<string, object?> Body(this JsonElement plan, params (string Name, object? Value)[] changes) =>
        plan.With([("modules", Array.Empty<object>()), .. changes]);

    /// <summary>A group on no plan.</summary>
    public static Task<JsonElement> NewGroup(this HttpClient admin) =>
        admin.Ask(HttpMethod.Post, "/api/groups", new { name = $"Groupe {Catalogue.Word()}" }).Json(201);

    /// <summary>A school of a group.</summary>
    public static Task<JsonElement> NewSchool(this HttpClient admin, Guid group) =>
        admin.Ask(HttpMethod.Post, $"/api/groups/{group}/schools", new { name = $"École {Catalogue.Word()}" }).Json(201);

    /// <summary>An active subscription.</summary>
    public static Task<JsonElement> NewSubscription(this HttpClient admin, Guid group, Guid plan) =>
        admin.Ask(HttpMethod.Post, $"/api/groups/{group}/subscriptions", new { planId = plan }).Json(201);

    /// <summary>A group on a plan, with a school, an administrator and a teacher.</summary>
    public static async Task<Tenant> NewTenant(this World world, HttpClient admin, JsonElement plan)
    {
        var group = await admin.NewGroup();
        var subscription = await admin.NewSubscription(group.Id(), plan.Id());
        var school = await admin.NewSchool(group.Id());
        return new Tenant(
            plan, group, school, subscription, await world.NewPerson(group.Id(), null, "group_admin"),
            await world.NewPerson(group.Id(), school.Id(), "teacher"));
    }

    /// <summary>A group on a plan of its own with these modules.</summary>
    public static async Task<Tenant> NewTenantWith(this World world, HttpClient admin, params JsonElement[] modules) =>
        await world.NewTenant(admin, await admin.NewPlan(null, [.. modules.Select(m => m.Id())]));

    /// <summary>Somebody with an account and, if a group is said, a place; the address.</summary>
    public static async Task<string> NewPerson(
        this World world, Guid? group = null, Guid? school = null, string role = "teacher", string platformRole = "member")
    {
        var (id, email) = (Guid.CreateVersion7(), $"{Catalogue.Word()}@sankore.test");
        await world.Execute("""
            insert into auth.users (id, email, normalized_email, email_confirmed, password_hash, security_stamp, concurrency_stamp, is_demo)
            select @id, @email, util.address_key(@email), true, password_hash, @id::text, @id::text, true
            from auth.users where email = @known;
            insert into public.profiles (id, email, display_name) values (@id, @email, 'Personne ' || @email);
            insert into rbac.user_roles (user_id, role_id) select @id, id from rbac.roles where role_name = @platformRole
            on conflict do nothing
            """, new { id, email, known = Cast.Super, platformRole });
        if (group is not null)
        {
            await world.Execute(
                "insert into tenancy.memberships (id, user_id, school_group_id, school_id, role)"
                + " values (gen_random_uuid(), @id, @group, @school, @role)", new { id, group, school, role });
        }
        return email;
    }

    /// <summary>The stream of somebody, from now on.</summary>
    public static async Task<LiveClient> Listen(this World world, string email) =>
        await LiveClient.Open(world.Address, await world.Token(email));

    /// <summary>What a stream was told of the modules, in order.</summary>
    public static IReadOnlyList<(string Op, Guid Module)> ToldOfModules(this LiveClient stream) =>
        [.. stream.Events.Where(e => e.Type == "change" && e.Table == "tenancy.modules").Select(e => (e.Op, e.RowId))];

    /// <summary>How often a stream was told to read everything again.</summary>
    public static int Resets(this LiveClient stream) => stream.Events.Count(e => e.Type == "reset");
}
