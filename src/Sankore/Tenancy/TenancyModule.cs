using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy.Categories;
using Sankore.Tenancy.Modules;
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
    ];

    /// <inheritdoc/>
    public override string RightsSql => "select 'topic' as kind, unnest(tenancy.my_topics()) as value";

    /// <inheritdoc/>
    public override void Services(IServiceCollection services, IConfiguration configuration) =>
        services.AddScoped<Modules.Modules>().AddScoped<Categories.Categories>().AddScoped<Plans.Plans>().AddScoped<Groups.Groups>().AddScoped<Me>().AddScoped<Dashboard>()
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
            Tagged(context, await use.Find(caller, id, ct), m => m.Version));
        modules.MapPost("", async (HttpContext context, Caller caller, ModuleInput input, Modules.Modules use, CancellationToken ct) =>
        {
            var module = await use.Create(caller, input, ct);
            return TypedResults.Created($"/api/modules/{module.Id}", Tagged(context, module, m => m.Version));
        }).Needs("tenancy.manage");
        modules.MapPut("/{id:guid}", async (HttpContext context, Caller caller, Guid id, ModuleInput input, Modules.Modules use, CancellationToken ct) =>
            Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct), m => m.Version)).Needs("tenancy.manage");
        modules.MapDelete("/{id:guid}", async (HttpContext context, Caller caller, Guid id, Modules.Modules use, CancellationToken ct) =>
        {
            await use.Delete(caller, id, IfMatch(context), ct);
            return TypedResults.NoContent();
        }).Needs("tenancy.delete");

        var categories = routes.MapGroup("/api/categories").WithTags("categories").NeedsOfServices("tenancy.read");
        categories.MapGet("", (Caller caller, [AsParameters] ListQuery query, Categories.Categories use, CancellationToken ct) => use.List(caller, query, ct));
        categories.MapGet("/{id:guid}", async (HttpContext context, Caller caller, Guid id, Categories.Categories use, CancellationToken ct) =>
            Tagged(context, await use.Find(caller, id, ct), c => c.Version));
        categories.MapPost("", async (HttpContext context, Caller caller, CategoryInput input, Categories.Categories use, CancellationToken ct) =>
        {
            var category = await use.Create(caller, input, ct);
            return TypedResults.Created($"/api/categories/{category.Id}", Tagged(context, category, c => c.Version));
        }).Needs("tenancy.manage");
        categories.MapPut("/{id:guid}", async (HttpContext context, Caller caller, Guid id, CategoryInput input, Categories.Categories use, CancellationToken ct) =>
            Tagged(context, await use.Update(caller, id, Versions.Expected(context, input.Version), input, ct), c => c.Version)).Needs("tenancy.manage");
        categories.MapDelete("/{id:guid}", async (HttpContext context, Caller caller, Guid id, Categories.Categories use, CancellationToken ct) =>
        {
            await use.Delete(caller, id, IfMatch(context), ct);
            return TypedResults.NoContent();
        }).Needs("tenancy.delete");

        var api = routes.MapGroup("/api").WithTags("network").NeedsOfServices("tenancy.read");
        api.MapGet("/plans", (Caller caller, [AsParameters] ListQuery query, Plans.Plans use, CancellationToken ct) => use.List(caller, query, ct));
        api.MapGet("/groups", (Caller caller, [AsParameters] ListQuery query, Groups.Groups use, CancellationToken ct) => use.List(caller, query, ct));
        api.MapGet("/schools", (Caller caller, [AsParameters] ListQuery query, Guid? group, Groups.Groups use, CancellationToken ct) => use.Schools(caller, query, group, ct));
    }

    private static Caller Person(Caller caller) => caller.UserId is not null ? caller : throw new Refusal(Reason.Forbidden);

    private static int? IfMatch(HttpContext context) => context.Request.Headers.IfMatch.Count > 0 ? Versions.Expected(context, null) : null;

    private static T Tagged<T>(HttpContext context, T row, Func<T, int> version)
    {
        Versions.Tag(context, version(row));
        return row;
    }
}
