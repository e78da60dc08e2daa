using Sankore.Platform.Security;
using Sankore.Ui;

namespace Sankore.Tenancy;

/// <summary>The catalogue (categories, modules, plans) and the network (groups, subscriptions, schools, memberships).</summary>
public sealed class TenancyModule : SankoreModule
{
    public override IEnumerable<HomePart> Home => TenancyHome.Parts;

    public override IEnumerable<SearchPart> Searches => TenancySearch.Parts;

    public override IEnumerable<Reason> Reasons => TenancyReasons.All;

    public override IReadOnlyDictionary<string, Reason> Constraints { get; } = new Dictionary<string, Reason>
    {
        ["modules_code_unique"] = Reason.CodeTaken,
        ["modules_code_check"] = Reason.CodeInvalid,
        ["modules_category_id_fkey"] = Reason.CategoryUnknown,
        ["business_categories_slug_unique"] = Reason.SlugTaken,
        ["business_categories_slug_check"] = Reason.SlugInvalid,
        ["subscription_plans_slug_unique"] = Reason.PlanSlugTaken,
        ["school_groups_code_unique"] = Reason.GroupCodeTaken,
        ["schools_code_unique"] = Reason.SchoolCodeTaken,
        ["subscriptions_school_group_id_live_unique"] = Reason.SubscriptionExists,
        ["subscriptions_plan_id_fkey"] = Reason.PlanUnknown,
        ["memberships_user_id_school_id_role_unique"] = Reason.AlreadyMember,
        ["memberships_school_id_fkey"] = Reason.SchoolUnknown,
        ["invited_places_school_id_fkey"] = Reason.SchoolUnknown,
        ["plan_modules_module_id_fkey"] = Reason.ModuleUnknown,
        ["plan_categories_category_id_fkey"] = Reason.CategoryUnknown,
        ["schools_school_group_id_fkey"] = Reason.GroupUnknown,
    };

    public override IEnumerable<MenuEntry> Menu =>
    [
        new("tenancy.read", "/admin", "home", "menu.dashboard", typeof(Strings), 11),
        new("tenancy.read", "/admin/modules", "grid", "menu.modules", typeof(Strings), 12),
        new("tenancy.read", "/admin/categories", "tag", "menu.categories", typeof(Strings), 13),
        new("tenancy.read", "/admin/plans", "coins", "menu.plans", typeof(Strings), 14),
        new("tenancy.read", "/admin/groups", "building", "menu.groups", typeof(Strings), 15),
        new("tenancy.read", "/admin/schools", "school", "menu.schools", typeof(Strings), 16),
        new("tenancy.read", "/admin/assignments", "key", "menu.assignments", typeof(Strings), 17),
    ];

    public override IEnumerable<Platform.Jobs.RecurringWork> Recurring =>
    [
        new("tenancy: advance due subscriptions", TimeSpan.FromMinutes(1), "select tenancy.advance_subscriptions()"),
    ];

    public override string InvitationSql =>
        "select i.id from rbac.invitations i where i.id = any (@ids) and tenancy.place_stands(i)";

    public override string RightsSql => "select user_id, kind, items from tenancy.rights_of_people(@userIds)";

    public override void Services(IServiceCollection services, IConfiguration configuration)
    {
        services.AddScoped<Categories>();
        services.AddScoped<Modules>();
        services.AddScoped<Plans>();
        services.AddScoped<Subscriptions>();
        services.AddScoped<Groups>();
        services.AddScoped<Logos>();
        services.AddScoped<Staff>();
        services.AddScoped<Reaches>();
        services.AddScoped<Platform.Imports.ImportKind, GroupsKind>();
        services.AddScoped<Platform.Imports.ImportKind, SchoolsKind>();
        services.AddScoped<Platform.Imports.ImportKind, StaffKind>();
        services.AddScoped<Assignments>();
        services.AddScoped<AssignmentLogs>();
        services.AddScoped<Matrix>();
        services.AddScoped<ModuleAccess>();
        services.AddScoped<Me>();
        services.AddScoped<ModuleLaunch>();
        services.AddScoped<Dashboard>();
        services.AddScoped<LoadShell>(sp => ActivatorUtilities.CreateInstance<TenancyShell>(sp).Load);
    }

    public override void Routes(IEndpointRouteBuilder routes)
    {
        MeApi.Map(routes);
        CategoriesApi.Map(routes);
        ModulesApi.Map(routes);
        PlansApi.Map(routes);
        SubscriptionsApi.Map(routes);
        GroupsApi.Map(routes);
        Logos.Map(routes);
        StaffApi.Map(routes);
        AssignmentsApi.Map(routes);
        ImportsApi.Map(routes);
        routes.MapGet("/m/{code}/open", ModuleLaunch.Open).ForPeople().ExcludeFromDescription();
    }
}
