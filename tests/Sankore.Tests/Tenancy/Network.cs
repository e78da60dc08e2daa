using System.Text.Json;
using Dapper;
using Npgsql;

namespace Sankore.Tests.Tenancy;

public sealed record NetCategory(Guid Id, string Name, string Slug, string Status);
public sealed record NetModule(Guid Id, string Code, string Name, Guid CategoryId, string Status, bool IsBuilt);
public sealed record NetPlan(Guid Id, string Name, string Slug, string Status);
public sealed record NetPlanModule(Guid Id, Guid PlanId, Guid ModuleId, bool Included);
public sealed record NetPlanCategory(Guid Id, Guid PlanId, Guid CategoryId);
public sealed record NetGroup(Guid Id, string Name, string Code, string Status);
public sealed record NetSubscription(Guid Id, Guid SchoolGroupId, Guid PlanId, string Status, DateTime StartsAt);
public sealed record NetSchool(
    Guid Id, Guid SchoolGroupId, string Name, string Code, string Status, Dictionary<string, bool> ActiveModules);
public sealed record NetUser(Guid Id, string Email);
public sealed record NetMembership(
    Guid Id, Guid UserId, Guid SchoolGroupId, Guid? SchoolId, string Role, string Status, DateTime? ExpiresAt);
public sealed record NetAssignment(
    Guid Id, Guid UserId, Guid SchoolGroupId, Guid? SchoolId, Guid? ModuleId, Guid? CategoryId, bool CanWrite, bool CanDelete,
    bool CanExport, bool IsActive, DateTime? ExpiresAt);
public sealed record NetLog(long Id, string Action, Guid UserId, Guid? SchoolGroupId);
public sealed record NetRole(Guid UserId, string RoleName, bool IsActive, DateTime? ExpiresAt);

/// <summary>A random network of schools: lists of rows, written to a database in one go.</summary>
public sealed class Network
{
    private readonly Random _random = new(0);
    private readonly string _name = "";

    /// <summary>A network with nothing in it yet.</summary>
    public Network()
    {
    }

    /// <summary>The network of a seed: the same one each time, but for its ids.</summary>
    public Network(int seed)
    {
        (_random, _name) = (new Random(seed), $"n{seed}");
        Categories = Some(
            1, 4, i => new NetCategory(Guid.CreateVersion7(), $"Category {i}", Code("category", i), Either("active", "inactive", 0.75)));
        Modules = Some(
            2, 9,
            i => new NetModule(
            Guid.CreateVersion7(), Code("module", i), $"Module {i}", One(Categories).Id, Either("active", "inactive", 0.75), Chance(0.8)));
        Plans = Some(1, 4, i => new NetPlan(Guid.CreateVersion7(), $"Plan {i}", Code("plan", i), Either("active", "inactive", 0.8)));
        PlanModules =
            [.. Pairs(Plans, Modules, 0.35).Select(p => new NetPlanModule(Guid.CreateVersion7(), p.Item1.Id, p.Item2.Id, Chance(0.65)))];
        PlanCategories =
            [.. Pairs(Plans, Categories, 0.35).Select(p => new NetPlanCategory(Guid.CreateVersion7(), p.Item1.Id, p.Item2.Id))];
        Groups = Some(1, 4, i => new NetGroup(Guid.CreateVersion7(), $"Group {i}", Code("group", i), Either("active", "inactive", 0.85)));
        Subscriptions = [.. Groups.SelectMany(Lives)];
        Schools = Some(1, 6, i => School(i, One(Groups)));
        Users = Some(3, 8, i => new NetUser(Guid.CreateVersion7(), $"u{i}@{_name}.sankore.test"));
        Memberships = [.. Users.SelectMany(Places).DistinctBy(m => (m.UserId, m.SchoolGroupId, m.SchoolId, m.Role))];
        Assignments = [
            .. Memberships.SelectMany(AssignmentsAt).Concat(Users.SelectMany(AssignmentsAnywhere))
            .DistinctBy(p => (p.UserId, p.SchoolGroupId, p.SchoolId, p.ModuleId, p.CategoryId))];
        Logs = [
            .. Assignments.Where(_ => Chance(0.5))
            .Select(
                (p, i) => new NetLog(seed * 10_000L + i, One(["assigned", "revoked"]), p.UserId, Chance(0.9) ? p.SchoolGroupId : null))];
        Roles = [.. Users.SelectMany(PlatformRoles).DistinctBy(r => (r.UserId, r.RoleName))];
    }

    public List<NetCategory> Categories { get; init; } = [];
    public List<NetModule> Modules { get; init; } = [];
    public List<NetPlan> Plans { get; init; } = [];
    public List<NetPlanModule> PlanModules { get; init; } = [];
    public List<NetPlanCategory> PlanCategories { get; init; } = [];
    public List<NetGroup> Groups { get; init; } = [];
    public List<NetSubscription> Subscriptions { get; init; } = [];
    public List<NetSchool> Schools { get; init; } = [];
    public List<NetUser> Users { get; init; } = [];
    public List<NetMembership> Memberships { get; init; } = [];
    public List<NetAssignment> Assignments { get; init; } = [];
    public List<NetLog> Logs { get; init; } = [];
    public List<NetRole> Roles { get; init; } = [];

    /// <summary>Writes networks as the superuser, without any trigger: nothing derives rows from rows.</summary>
    public static async Task Write(string adminConnection, IReadOnlyList<Network> networks)
    {
        await using var connection = new NpgsqlConnection(adminConnection);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("set local session_replication_role = replica");
        // The catalogue that a new database begins with is not theirs.
        await connection.ExecuteAsync(
            "delete from tenancy.modules where code = 'campagnes'; delete from tenancy.business_categories where slug = 'communication'");
        await Insert("tenancy.business_categories", "id, name, slug, status", n => n.Categories);
        await Insert("tenancy.modules", "id, code, name, category_id, status, is_built", n => n.Modules);
        await Insert("tenancy.subscription_plans", "id, name, slug, status", n => n.Plans);
        await Insert("tenancy.plan_modules", "id, plan_id, module_id, included", n => n.PlanModules);
        await Insert("tenancy.plan_categories", "id, plan_id, category_id", n => n.PlanCategories);
        await Insert("tenancy.school_groups", "id, name, code, status", n => n.Groups);
        await Insert("tenancy.subscriptions", "id, school_group_id, plan_id, status, starts_at", n => n.Subscriptions);
        await Insert("tenancy.schools", "id, school_group_id, name, code, status, active_modules", n => n.Schools);
        await Insert("auth.users", "id, email, normalized_email, password_hash, security_stamp, concurrency_stamp, is_demo",
            n => n.Users.Select(AccountOf));
        await Insert("public.profiles", "id, email, display_name", n => n.Users.Select(u => new { u.Id, u.Email, display_name = u.Email }));
        await Insert("tenancy.memberships", "id, user_id, school_group_id, school_id, role, status, expires_at", n => n.Memberships);
        await Insert(
            "tenancy.user_module_permissions",
            "id, user_id, school_group_id, school_id, module_id, category_id, can_write, can_delete, can_export, is_active, expires_at",
            n => n.Assignments);
        await Insert("tenancy.module_assignment_logs", "id, action, user_id, school_group_id", n => n.Logs);
        await connection.ExecuteAsync(
            "insert into rbac.user_roles (user_id, role_id, is_active, expires_at) select @UserId, id, @IsActive, @ExpiresAt"
            + " from rbac.roles where role_name = @RoleName", networks.SelectMany(n => n.Roles));
        await transaction.CommitAsync();

        Task Insert<T>(string table, string columns, Func<Network, IEnumerable<T>> rows) => connection.ExecuteAsync(
            $"insert into {table} ({columns}) overriding system value select {columns}"
            + $" from jsonb_populate_recordset(null::{table}, @rows::jsonb)",
            new { rows = JsonSerializer.Serialize(networks.SelectMany(rows), Rows) });
    }

    private static object AccountOf(NetUser user) => new
    {
        user.Id,
        user.Email,
        normalized_email = user.Email.ToLowerInvariant(),
        password_hash = Cluster.DemoPasswordHash,
        security_stamp = user.Email,
        concurrency_stamp = user.Email,
        is_demo = true,
    };

    private static readonly JsonSerializerOptions Rows = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>At most one live subscription, and any number of dead ones.</summary>
    private IEnumerable<NetSubscription> Lives(NetGroup group)
    {
        if (Chance(0.75))
        {
            yield return Subscription(group, ["trialing", "active", "past_due"]);
        }
        foreach (var dead in Some(0, 3, _ => Subscription(group, ["suspended", "cancelled", "expired"])))
        {
            yield return dead;
        }
    }

    private NetSubscription Subscription(NetGroup group, string[] states) =>
        new(Guid.CreateVersion7(), group.Id, One(Plans).Id, One(states), DateTime.UtcNow.AddDays(-_random.Next(400)));

    private List<NetMembership> Places(NetUser user) => Some(0, 3, _ =>
    {
        var school = Chance(0.65) ? One(Schools) : null;
        return new NetMembership(Guid.CreateVersion7(), user.Id, school?.SchoolGroupId ?? One(Groups).Id, school?.Id,
            school is null ? "group_admin" : One(["head", "teacher", "bursar"]), Either("active", "inactive", 0.8), Ends(0.3));
    });

    /// <summary>The list that the group's plan gives, or for some schools anything: what counts is the list.</summary>
    private NetSchool School(int number, NetGroup group)
    {
        var plan = Subscriptions.Find(s => s.SchoolGroupId == group.Id && s.Status is "trialing" or "active" or "past_due")?.PlanId;
        var included = plan is null || group.Status != "active" ? []
            : Modules.Where(m => Oracle.Shows(this, m) && Oracle.Includes(this, plan.Value, m));
        var modules = Chance(0.7) ? included.ToDictionary(m => m.Code, _ => true)
            : Modules.Where(_ => Chance(0.6)).ToDictionary(m => m.Code, _ => Chance(0.7));
        return new NetSchool(
            Guid.CreateVersion7(), group.Id, $"School {number}", Code("school", number), Either("active", "inactive", 0.85), modules);
    }

    private List<NetAssignment> AssignmentsAt(NetMembership place) =>
        Some(0, 9, _ => Assignment(place.UserId, place.SchoolGroupId, place.SchoolId));

    private List<NetAssignment> AssignmentsAnywhere(NetUser user) => Some(0, 2, _ => Assignment(user.Id, One(Groups).Id, null));

    private NetAssignment Assignment(Guid user, Guid group, Guid? likely)
    {
        var schools = Schools.FindAll(s => s.SchoolGroupId == group);
        var school = Chance(0.5) || schools.Count == 0 ? null : Chance(0.7) && likely is not null ? likely : One(schools).Id;
        var module = Chance(0.6);
        return new NetAssignment(
            Guid.CreateVersion7(), user, group, school, module ? One(Modules).Id : null, module ? null : One(Categories).Id,
            Chance(0.4), Chance(0.4), Chance(0.4), Chance(0.8), Ends(0.4));
    }

    private DateTime? Ends(double chance) => Chance(chance) ? DateTime.UtcNow.AddDays(Chance(0.5) ? 30 : -30) : null;

    private IEnumerable<NetRole> PlatformRoles(NetUser user) => !Chance(0.3) ? []
        : Some(
            1, 3,
            _ => new NetRole(
                user.Id, One(["admin", "moderator", "member", "visitor"]), Chance(0.75), Chance(0.5) ? null
                : DateTime.UtcNow.AddDays(Chance(0.5) ? 30 : -30)));

    private List<T> Some<T>(int min, int max, Func<int, T> make) => [.. Enumerable.Range(1, _random.Next(min, max + 1)).Select(make)];

    private IEnumerable<(T, U)> Pairs<T, U>(List<T> left, List<U> right, double chance) =>
        left.SelectMany(_ => right, (l, r) => (l, r)).Where(_ => Chance(chance));

    private T One<T>(IReadOnlyList<T> of) => of[_random.Next(of.Count)];

    private bool Chance(double of) => _random.NextDouble() < of;

    private string Either(string likely, string other, double chance) => Chance(chance) ? likely : other;

    private string Code(string what, int number) => $"{_name}-{what}-{number}";
}
