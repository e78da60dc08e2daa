using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>What is done with a module.</summary>
public enum ModuleRight
{
    /// <summary>Looking.</summary>
    Read,

    /// <summary>Making and changing.</summary>
    Write,

    /// <summary>Taking away.</summary>
    Delete,

    /// <summary>Carrying out, as files.</summary>
    Export,
}

/// <summary>The module of the platform's catalogue that a route or a page belongs to, and what is done with it.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class RequireModuleAttribute(string code, ModuleRight permission = ModuleRight.Read) : Attribute
{
    public string Code { get; } = code;

    /// <summary>What is done with it.</summary>
    public ModuleRight Permission { get; } = permission;
}

/// <summary>Says which module a route needs, and asks for it at every request.</summary>
public static class RequiredModules
{
    /// <summary>Requires a module of the caller's: <c>routes.MapGet(…).RequireModule("campagnes", ModuleRight.Write)</c>.</summary>
    public static T RequireModule<T>(
        this T route, string code, ModuleRight permission = ModuleRight.Read) where T : IEndpointConventionBuilder =>
        route.RequireAuthorization().WithMetadata(new RequireModuleAttribute(code, permission));

    private sealed record Granted(IReadOnlyList<ModuleRight> Rights);

    /// <summary>Whether the caller may do something with the module that the route requires: what a page offers.</summary>
    public static bool MayInModule(this HttpContext context, ModuleRight right) =>
        context.Features.Get<Granted>()?.Rights.Contains(right) == true;

    /// <summary>
    /// Refuses, after authorization, whoever may not do what the route's module is needed for: MODULE_REFUSED, saying which link of the
    /// chain fails.
    /// </summary>
    public static IApplicationBuilder UseRequiredModules(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RequireModuleAttribute>() is { } required)
        {
            var rights = await context.RequestServices.GetRequiredService<ModuleAccess>()
                .Require(context.Caller(), required.Code, required.Permission, context.RequestAborted);
            context.Features.Set(new Granted(rights));
        }
        await next(context);
    });
}

/// <summary>A link of the chain, and whether it holds.</summary>
/// <param name="Code"><c>place</c>, <c>module_active</c>, <c>module_built</c>, <c>subscription_live</c>, <c>included</c>,
/// <c>on_in_school</c> or <c>assigned</c>.</param>
/// <param name="Holds">Whether it does.</param>
/// <param name="Text">In words, in the reader's language.</param>
public sealed record ChainLink(string Code, bool Holds, string Text);

/// <summary>The chain at one of a person's places.</summary>
/// <param name="School">Null: the whole group.</param>
public sealed record ChainView(string? Group, string? School, bool Granted, IReadOnlyList<ChainLink> Links);

/// <summary>Why a person has a module, or why not.</summary>
/// <param name="Granted">Whether the person has it anywhere.</param>
/// <param name="Permissions">What may be done with it: <c>read</c>, <c>write</c>, <c>delete</c>, <c>export</c>.</param>
/// <param name="Chains">One per place; the first is the one that grants it, if any does.</param>
public sealed record WhyView(Guid UserId, string Code, string Name, bool Granted, string[] Permissions, IReadOnlyList<ChainView> Chains);

/// <summary>Effective access, as the one rule has it (<c>tenancy.module_access</c>): asked for, and explained.</summary>
public sealed class ModuleAccess(Db db, Microsoft.Extensions.Localization.IStringLocalizer<Strings> strings)
{
    // A person whom the caller may ask about: oneself, the operator's everybody, the people of a group that one administers. A module whose
    // name the caller may know: any of the catalogue, for the refusal "your plan does not include it" names them too.
    private const string ChainsSql = """
        select name from tenancy.module_name(@code) as name
        where name is not null and exists (select 1 from public.profiles where id = @userId);
        select group_name, school_name, plan_name, subscription_status, module_active, module_built, included, subscription_live,
          on_in_school, is_group_admin, assigned,
               can_write, can_delete, can_export, granted, revoked, expired_at
        from tenancy.explain_access(@userId, @code)
        """;

    private const string RightsSql = """
        select right_name from unnest(array['read', 'write', 'delete', 'export']) right_name where tenancy.has_module(@code, right_name)
        """;

    private sealed record Row(
        string GroupName, string? SchoolName, string? PlanName, string? SubscriptionStatus, bool ModuleActive, bool ModuleBuilt,
        bool Included, bool SubscriptionLive, bool OnInSchool,
        bool IsGroupAdmin, bool Assigned, bool CanWrite, bool CanDelete, bool CanExport, bool Granted, bool Revoked, DateTime? ExpiredAt);

    /// <summary>
    /// Why a person has a module, or why not, link by link. Refuses with NOT_FOUND for a person or module that the caller may not ask
    /// about.
    /// </summary>
    public Task<WhyView> Why(Caller caller, Guid userId, string code, CancellationToken ct) => db.Read(caller, async session =>
    {
        await using var grid = await session.Queries(ChainsSql, new { userId, code });
        var name = await grid.One<string>();
        var rows = (await grid.ReadAsync<Row>()).ToList();
        var granted = rows.Where(r => r.Granted).ToList();
        (string Name, bool Has)[] rights =
        [
            ("read", granted.Count > 0), ("write", granted.Exists(r => r.CanWrite)), ("delete", granted.Exists(r => r.CanDelete)),
            ("export", granted.Exists(r => r.CanExport)),
        ];
        string[] permissions = [.. rights.Where(r => r.Has).Select(r => r.Name)];
        var chains = rows.Count > 0 ? [.. rows.Select(r => Chain(name, r))]
            : new[] { new ChainView(null, null, false, [new ChainLink("place", false, strings["why.place.no"])]) };
        return new WhyView(userId, code, name, granted.Count > 0, permissions, chains);
    }, ct);

    /// <summary>Refuses with MODULE_REFUSED unless the caller may do something with a module, at this moment.</summary>
    /// <returns>All that the caller may do with it.</returns>
    public async Task<IReadOnlyList<ModuleRight>> Require(Caller caller, string code, ModuleRight permission, CancellationToken ct)
    {
        if (caller.UserId is not { } userId)
        {
            throw new Refusal(Reason.Forbidden);
        }
        var rights = (await db.Read(caller, session => session.Query<string>(RightsSql, new { code }), ct))
            .Select(right => Enum.Parse<ModuleRight>(right, ignoreCase: true)).ToList();
        if (rights.Contains(permission))
        {
            return rights;
        }
        var why = await Why(caller, userId, code, ct);
        throw new Refusal(
            Reason.ModuleRefused, why.Granted ? strings["why.permission." + permission.ToString().ToLowerInvariant(), why.Name].Value
            : why.Chains[0].Links.First(l => !l.Holds).Text);
    }

    private ChainView Chain(string module, Row r)
    {
        var plan = r.PlanName ?? strings["why.no_plan"];
        List<ChainLink> links =
        [
            Link("module_active", r.ModuleActive, module),
            Link("module_built", r.ModuleBuilt, module),
            Link(
                "subscription_live", r.SubscriptionLive, r.GroupName, r.SubscriptionStatus is null ? strings["why.never"]
                : strings["subscription." + r.SubscriptionStatus]),
            Link("included", r.Included, plan, module),
        ];
        if (r.SchoolName is not null)
        {
            links.Add(Link("on_in_school", r.OnInSchool, r.SchoolName, module));
        }
        links.Add(r.IsGroupAdmin ? new ChainLink("assigned", true, strings["why.group_admin", r.GroupName])
            : r.Assigned ? new ChainLink("assigned", true, strings["why.assigned.yes", module])
            : new ChainLink(
                "assigned", false, r.ExpiredAt is { } end ? strings["why.assigned.expired", Ui.Format.Moment(end)]
                : strings[r.Revoked ? "why.assigned.revoked" : "why.assigned.no", module]));
        return new ChainView(r.GroupName, r.SchoolName, r.Granted, links);

        ChainLink Link(string code, bool holds, params object[] args) =>
            new(code, holds, strings[$"why.{code}.{(holds ? "yes" : "no")}", args]);
    }
}
