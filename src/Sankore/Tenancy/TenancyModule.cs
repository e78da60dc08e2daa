using System.Globalization;
using Sankore.Platform.Files;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy.Assignments;
using Sankore.Tenancy.Categories;
using Sankore.Tenancy.Groups;
using Sankore.Tenancy.Imports;
using Sankore.Tenancy.Modules;
using Sankore.Tenancy.Plans;
using Sankore.Tenancy.Staff;
using Sankore.Tenancy.Subscriptions;
using Sankore.Ui;

namespace Sankore.Tenancy;

/// <summary>The catalogue (categories, modules, plans) and the network (groups, subscriptions, schools, memberships).</summary>
public sealed class TenancyModule : SankoreModule
{
    /// <inheritdoc/>
    public override IEnumerable<Reason> Reasons => TenancyReasons.All;

    /// <inheritdoc/>
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

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public override IEnumerable<Platform.Jobs.RecurringWork> Recurring =>
    [
        new("advance subscriptions whose due date has passed", TimeSpan.FromMinutes(1), "select tenancy.advance_subscriptions()"),
        new("forget files that were uploaded", TimeSpan.FromHours(1), "delete from tenancy.imports where created_at < now() - interval '7 days'"),
    ];

    /// <inheritdoc/>
    public override string RightsSql => "select user_id, kind, items from tenancy.rights_of_people(@userIds)";

    /// <inheritdoc/>
    public override void Services(IServiceCollection services, IConfiguration configuration) =>
        services.AddScoped<Modules.Modules>().AddScoped<Categories.Categories>().AddScoped<Plans.Plans>().AddScoped<Groups.Groups>().AddScoped<Subscriptions.Subscriptions>().AddScoped<Staff.Staff>().AddScoped<Imports.Imports>().AddScoped<RowRules>().AddScoped<RowWriter>().AddScoped<Assignments.Assignments>().AddScoped<AssignmentLogs>().AddScoped<Matrix>().AddScoped<ModuleAccess>().AddScoped<Me>().AddScoped<Dashboard>()
            .AddScoped<LoadShell>(sp => ActivatorUtilities.CreateInstance<TenancyShell>(sp).Load);

    /// <inheritdoc/>
    public override void Routes(IEndpointRouteBuilder routes)
    {
        var me = routes.MapGroup("/api/me").WithTags("me").RequireAuthorization();
        me.MapGet("", (HttpContext context, Caller caller, Me view, CancellationToken ct) => view.View(Person(caller), context.Rights(), ct));
        me.MapGet("/menu", (Caller caller, Me view, CancellationToken ct) => view.Menu(Person(caller), ct));

        // Members read too, and what they see is the row policies' matter; what they may change, a permission's.
        var modules = routes.MapGroup("/api/modules").WithTags("modules").NeedsOfServices("tenancy.read");
        modules.MapGet("", (Caller caller, [AsParameters] ListQuery query, Modules.Modules use, CancellationToken ct) => use.List(caller, query, ct));
        modules.MapGet("/{id:guid}", async (HttpContext context, Caller caller, Guid id, Modules.Modules use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Find(caller, id, ct)));
        modules.MapPost("", async (HttpContext context, Caller caller, ModuleInput input, Modules.Modules use, CancellationToken ct) =>
        {
            var module = await use.Create(caller, input, ct);
            return Versions.Created(context, $"/api/modules/{module.Id}", module);
        }).Needs("tenancy.manage");
        modules.MapPut("/{id:guid}", async (HttpContext context, Caller caller, Guid id, ModuleInput input, Modules.Modules use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct))).Needs("tenancy.manage");
        modules.MapDelete("/{id:guid}", async (HttpContext context, Caller caller, Guid id, Modules.Modules use, CancellationToken ct) =>
        {
            await use.Delete(caller, id, IfMatch(context), ct);
            return TypedResults.NoContent();
        }).Needs("tenancy.delete");

        var categories = routes.MapGroup("/api/categories").WithTags("categories").NeedsOfServices("tenancy.read");
        categories.MapGet("", (Caller caller, [AsParameters] ListQuery query, Categories.Categories use, CancellationToken ct) => use.List(caller, query, ct));
        categories.MapGet("/{id:guid}", async (HttpContext context, Caller caller, Guid id, Categories.Categories use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Find(caller, id, ct)));
        categories.MapPost("", async (HttpContext context, Caller caller, CategoryInput input, Categories.Categories use, CancellationToken ct) =>
        {
            var category = await use.Create(caller, input, ct);
            return Versions.Created(context, $"/api/categories/{category.Id}", category);
        }).Needs("tenancy.manage");
        categories.MapPut("/{id:guid}", async (HttpContext context, Caller caller, Guid id, CategoryInput input, Categories.Categories use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct))).Needs("tenancy.manage");
        categories.MapDelete("/{id:guid}", async (HttpContext context, Caller caller, Guid id, Categories.Categories use, CancellationToken ct) =>
        {
            await use.Delete(caller, id, IfMatch(context), ct);
            return TypedResults.NoContent();
        }).Needs("tenancy.delete");

        // Whom a group's administrators may assign what to is decided by tenancy.change_assignments, which logs what it refuses.
        var users = routes.MapGroup("/api/users/{userId:guid}").WithTags("assignments").NeedsOfServices("tenancy.read");
        users.MapGet("/modules", (Caller caller, Guid userId, Assignments.Assignments use, CancellationToken ct) => use.Of(Person(caller), userId, ct));
        users.MapGet("/modules/{code}/why", (Caller caller, Guid userId, string code, ModuleAccess use, CancellationToken ct) => use.Why(Person(caller), userId, code, ct));
        users.MapPut("/modules/{moduleId:guid}", (HttpContext context, Caller caller, Guid userId, Guid moduleId, AssignmentInput input, Assignments.Assignments use, CancellationToken ct) =>
            Assign(context, caller, userId, AssignmentTarget.Module(moduleId), input, use, ct));
        users.MapPut("/categories/{categoryId:guid}", (HttpContext context, Caller caller, Guid userId, Guid categoryId, AssignmentInput input, Assignments.Assignments use, CancellationToken ct) =>
            Assign(context, caller, userId, AssignmentTarget.Category(categoryId), input, use, ct));
        users.MapDelete("/modules/{moduleId:guid}", (HttpContext context, Caller caller, Guid userId, Guid moduleId, Guid? groupId, Guid? schoolId, Assignments.Assignments use, CancellationToken ct) =>
            Revoke(context, caller, userId, AssignmentTarget.Module(moduleId), groupId, schoolId, use, ct));
        users.MapDelete("/categories/{categoryId:guid}", (HttpContext context, Caller caller, Guid userId, Guid categoryId, Guid? groupId, Guid? schoolId, Assignments.Assignments use, CancellationToken ct) =>
            Revoke(context, caller, userId, AssignmentTarget.Category(categoryId), groupId, schoolId, use, ct));

        var group = routes.MapGroup("/api/groups/{groupId:guid}").WithTags("assignments").NeedsOfServices("tenancy.read");
        group.MapGet("/matrix", (Caller caller, Guid groupId, [AsParameters] ListQuery query, [AsParameters] MatrixFilter filter, Matrix use, CancellationToken ct) => use.Read(Person(caller), groupId, query, filter, ct));
        group.MapPost("/assignments", (Caller caller, Guid groupId, BulkInput input, Assignments.Assignments use, CancellationToken ct) => use.Bulk(Person(caller), groupId, input, false, ct));
        group.MapPost("/assignments/preview", (Caller caller, Guid groupId, BulkInput input, Assignments.Assignments use, CancellationToken ct) => use.Bulk(Person(caller), groupId, input, true, ct));
        routes.MapGet("/api/assignment-logs", (Caller caller, [AsParameters] ListQuery query, [AsParameters] AssignmentLogFilter filter, AssignmentLogs use, CancellationToken ct) =>
            use.List(caller, query, filter, ct)).NeedsOfServices("tenancy.read").WithTags("assignments");

        Network(routes);
        Files(routes);
    }

    private static void Network(IEndpointRouteBuilder routes)
    {
        var plans = routes.MapGroup("/api/plans").WithTags("plans").NeedsOfServices("tenancy.read");
        plans.MapGet("", (Caller caller, [AsParameters] ListQuery query, Plans.Plans use, CancellationToken ct) => use.List(caller, query, ct));
        plans.MapGet("/{id:guid}", async (HttpContext context, Caller caller, Guid id, Plans.Plans use, CancellationToken ct) =>
        {
            var (plan, modules) = await use.Find(caller, id, ct);
            return new { plan = Versions.Tagged(context, plan), modules };
        });
        plans.MapPost("", async (HttpContext context, Caller caller, PlanInput input, Plans.Plans use, CancellationToken ct) =>
        {
            var plan = await use.Create(caller, input, ct);
            return Versions.Created(context, $"/api/plans/{plan.Id}", plan);
        }).Needs("tenancy.manage");
        plans.MapPut("/{id:guid}", async (HttpContext context, Caller caller, Guid id, PlanInput input, Plans.Plans use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct))).Needs("tenancy.manage");
        plans.MapPost("/{id:guid}/preview", (Caller caller, Guid id, PlanInput input, Plans.Plans use, CancellationToken ct) => use.Preview(caller, id, input, ct)).Needs("tenancy.manage");
        plans.MapDelete("/{id:guid}", async (HttpContext context, Caller caller, Guid id, Plans.Plans use, CancellationToken ct) =>
        {
            await use.Delete(caller, id, IfMatch(context), ct);
            return TypedResults.NoContent();
        }).Needs("tenancy.delete");

        var groups = routes.MapGroup("/api/groups").WithTags("network").NeedsOfServices("tenancy.read");
        groups.MapGet("", (Caller caller, [AsParameters] ListQuery query, Groups.Groups use, CancellationToken ct) => use.List(caller, query, ct));
        groups.MapGet("/{id:guid}", async (HttpContext context, Caller caller, Guid id, Groups.Groups use, CancellationToken ct) => Versions.Tagged(context, await use.Find(caller, id, ct)));
        groups.MapPost("", async (HttpContext context, Caller caller, GroupInput input, Groups.Groups use, CancellationToken ct) =>
        {
            var group = await use.Create(caller, input, ct);
            return Versions.Created(context, $"/api/groups/{group.Id}", group);
        }).Needs("tenancy.manage");
        groups.MapPut("/{id:guid}", async (HttpContext context, Caller caller, Guid id, GroupInput input, Groups.Groups use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct))).Needs("tenancy.manage");
        groups.MapGet("/{groupId:guid}/subscriptions", (Caller caller, Guid groupId, Subscriptions.Subscriptions use, CancellationToken ct) => use.Of(caller, groupId, ct));
        groups.MapPost("/{groupId:guid}/subscriptions", async (HttpContext context, Caller caller, Guid groupId, SubscriptionInput input, Subscriptions.Subscriptions use, CancellationToken ct) =>
        {
            var subscription = await use.Create(caller, groupId, input, ct);
            return Versions.Created(context, $"/api/groups/{groupId}/subscriptions", subscription);
        }).Needs("tenancy.manage");
        routes.MapPut("/api/subscriptions/{id:guid}", async (HttpContext context, Caller caller, Guid id, SubscriptionInput input, Subscriptions.Subscriptions use, CancellationToken ct) =>
            Versions.Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct))).Needs("tenancy.manage").WithTags("network");

        // A group's administrators have no permission of the platform: row policies say whose schools and staff are theirs to keep.
        groups.MapPost("/{groupId:guid}/schools", async (HttpContext context, Caller caller, Guid groupId, SchoolInput input, Groups.Groups use, CancellationToken ct) =>
        {
            var school = await use.CreateSchool(Person(caller), groupId, input, ct);
            return Versions.Created(context, $"/api/schools/{school.Id}", school);
        });
        groups.MapGet("/{groupId:guid}/staff", (Caller caller, Guid groupId, [AsParameters] ListQuery query, [AsParameters] StaffFilter filter, Staff.Staff use, CancellationToken ct) =>
            use.List(Person(caller), groupId, query, filter, ct));
        groups.MapPost("/{groupId:guid}/staff", (Caller caller, Guid groupId, StaffInput input, Staff.Staff use, CancellationToken ct) => use.Invite(Person(caller), groupId, input, ct));
        groups.MapPost("/{groupId:guid}/staff/{userId:guid}/invitation", async (Caller caller, Guid groupId, Guid userId, Staff.Staff use, CancellationToken ct) =>
        {
            await use.InviteAgain(Person(caller), groupId, userId, ct);
            return TypedResults.NoContent();
        });
        var api = routes.MapGroup("/api").WithTags("network").NeedsOfServices("tenancy.read");
        api.MapPut("/memberships/{id:guid}", async (HttpContext context, Caller caller, Guid id, MembershipInput input, Staff.Staff use, CancellationToken ct) =>
        {
            await use.Update(Person(caller), id, Versions.Expected(context, input.Version), input, ct);
            return TypedResults.NoContent();
        });
        api.MapGet("/schools", (Caller caller, [AsParameters] ListQuery query, Guid? group, Groups.Groups use, CancellationToken ct) => use.Schools(caller, query, group, ct));
        api.MapGet("/schools/{id:guid}", async (HttpContext context, Caller caller, Guid id, Groups.Groups use, CancellationToken ct) => Versions.Tagged(context, await use.School(caller, id, ct)));
        api.MapPut("/schools/{id:guid}", async (HttpContext context, Caller caller, Guid id, SchoolInput input, Groups.Groups use, CancellationToken ct) =>
            Versions.Tagged(context, await use.UpdateSchool(Person(caller), id, Versions.Expected(context, input.Version), input, ct)));
    }

    /// <summary>Files come as the body itself: no form of a foreign site can send one.</summary>
    private static void Files(IEndpointRouteBuilder routes)
    {
        var imports = routes.MapGroup("/api/imports").WithTags("imports").NeedsOfServices("tenancy.manage");
        imports.MapGet("/{kind}/template", async (string kind, bool? many, CancellationToken ct) => ImportKind.Named(kind) is { } known
            ? TypedResults.File(await Imports.Imports.Template(known, many ?? false, CultureInfo.CurrentUICulture.TwoLetterISOLanguageName, ct), XlsxExport.MediaType, $"sankore-{kind}.xlsx")
            : throw new Refusal(Reason.NotFound));
        imports.MapPost("/{kind}", async (HttpContext context, Caller caller, string kind, Guid? group, string? name, Imports.Imports use, CancellationToken ct) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, ct);
            return await use.Preview(Person(caller), ImportKind.Named(kind) ?? throw new Refusal(Reason.NotFound), kind == "groups" ? null : group, name, body.ToArray(), ct);
        }).WithMetadata(new Microsoft.AspNetCore.Mvc.RequestSizeLimitAttribute(Imports.Imports.MaxBytes + 1));
        imports.MapGet("/{id:guid}", (Caller caller, Guid id, Imports.Imports use, CancellationToken ct) => use.Find(Person(caller), id, ct));
        imports.MapPost("/{id:guid}/run", (Caller caller, Guid id, Imports.Imports use, CancellationToken ct) => use.Run(Person(caller), id, ct));
    }

    private static async Task<Assignment> Assign(HttpContext context, Caller caller, Guid userId, AssignmentTarget target, AssignmentInput input, Assignments.Assignments use, CancellationToken ct) =>
        Versions.Tagged(context, await use.Assign(Person(caller), userId, target, input, IfMatch(context) ?? input.Version ?? 0, ct));

    private static async Task<IResult> Revoke(HttpContext context, Caller caller, Guid userId, AssignmentTarget target, Guid? groupId, Guid? schoolId, Assignments.Assignments use, CancellationToken ct)
    {
        await use.Revoke(Person(caller), userId, target, groupId, schoolId, IfMatch(context), ct);
        return TypedResults.NoContent();
    }

    private static Caller Person(Caller caller) => caller.UserId is not null ? caller : throw new Refusal(Reason.Forbidden);

    private static int? IfMatch(HttpContext context) => context.Request.Headers.IfMatch.Count > 0 ? Versions.Expected(context, null) : null;
}
