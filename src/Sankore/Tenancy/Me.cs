using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Tenancy;

/// <summary>A place in the network that a person has.</summary>
/// <param name="Logo">Where its logo is loaded from, the group's where the school has none; null: there is none.</param>
public sealed record MembershipView(Guid GroupId, string GroupName, Guid? SchoolId, string? SchoolName, string Role, string? Logo);

/// <summary>The plan that a person's group lives on.</summary>
public sealed record PlanView(Guid Id, string Name, string Slug);

/// <summary>Who the caller is: <c>GET /api/me</c>.</summary>
public sealed record MeView(
    Guid Id, string Email, string DisplayName, IReadOnlyList<string> Roles, IReadOnlyList<string> Permissions,
    IReadOnlyList<MembershipView> Memberships, PlanView? Plan);

/// <summary>An entry of a person's menu of modules.</summary>
/// <param name="Route">Where it leads.</param>
/// <param name="Permissions">What the person may do in it: <c>read</c>, <c>write</c>, <c>delete</c>, <c>export</c>.</param>
public sealed record MenuItem(
    Guid Id, string Code, string Name, string? Description, string Icon, string Route, int Priority, MenuCategory Category,
    string[] Permissions);

/// <summary>The category of a menu entry.</summary>
public sealed record MenuCategory(Guid Id, string Name, string Color, int SortOrder);

/// <summary>The caller's own view of the network.</summary>
public sealed class Me(Db db)
{
    internal const string MembershipsSql = """
        select m.school_group_id as group_id, g.name as group_name, m.school_id, s.name as school_name, m.role,
          '/i/' || coalesce(s.logo_id, g.logo_id) as logo
        from tenancy.current_memberships m
        join tenancy.school_groups g on g.id = m.school_group_id
        left join tenancy.schools s on s.id = m.school_id
        where m.user_id = (select auth.uid())
        order by m.school_id nulls first, m.id
        """;

    internal const string PlanSql = """
        select id, util.said(name, name_en) as name, slug from tenancy.subscription_plans
        where id = any ((select tenancy.my_plan_ids())::uuid[])
        order by sort_order desc limit 1
        """;

    internal const string MenuSql = """
        select id, code, name, description, icon, route, priority, category_id, category_name, color, sort_order, can_write, can_delete,
          can_export from tenancy.my_menu()
        """;

    internal sealed record MenuRow(
        Guid Id, string Code, string Name, string? Description, string Icon, string Route, int Priority, Guid CategoryId,
        string CategoryName, string Color, int SortOrder,
        bool CanWrite, bool CanDelete, bool CanExport)
    {
        public MenuItem ToItem() =>
            new(Id, Code, Name, Description, Icon, Route, Priority, new MenuCategory(CategoryId, CategoryName, Color, SortOrder),
            [.. new[] { ("read", true), ("write", CanWrite), ("delete", CanDelete), ("export", CanExport) }.Where(p => p.Item2)
            .Select(p => p.Item1)]);
    }

    private sealed record Person(string Email, string DisplayName);

    /// <summary>Who the caller is, in one round trip.</summary>
    public Task<MeView> View(Caller caller, Rights rights, CancellationToken ct) => db.Read(caller, async session =>
    {
        await using var grid = await session.Queries(
            "select email, display_name from public.profiles where id = (select auth.uid());" + MembershipsSql + ";" + PlanSql);
        var person = await grid.One<Person>();
        return new MeView(
            caller.UserId!.Value, person.Email, person.DisplayName, [.. rights.Roles.Order()], [.. rights.Permissions.Order()],
            [.. await grid.ReadAsync<MembershipView>()], await grid.ReadFirstOrDefaultAsync<PlanView>());
    }, ct);

    /// <summary>The caller's menu of modules, in order of display.</summary>
    public async Task<IReadOnlyList<MenuItem>> Menu(Caller caller, CancellationToken ct) =>
        [.. (await db.Read(caller, session => session.Query<MenuRow>(MenuSql), ct)).Select(r => r.ToItem())];
}
