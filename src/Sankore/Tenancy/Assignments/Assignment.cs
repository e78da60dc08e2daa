using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>A module, or whichever modules a category has, assigned to a person (document 003, <c>user_module_permissions</c>).</summary>
/// <param name="SchoolId">The one school it is for; null: wherever in the group the person works.</param>
/// <param name="Code">The module's code or the category's slug.</param>
/// <param name="IsActive">False once revoked; the row stays.</param>
/// <param name="Version">A change must name the version it is based on.</param>
public sealed record Assignment(
    Guid Id, Guid UserId, Guid GroupId, Guid? SchoolId, string? SchoolName, Guid? ModuleId, Guid? CategoryId, string Code, string Name,
    bool CanRead, bool CanWrite, bool CanDelete, bool CanExport, bool IsActive, DateTime? ExpiresAt, string? AssignedBy,
    DateTime AssignedAt, int Version) : IVersioned
{
    internal AssignedRights Rights => new(CanRead, CanWrite, CanDelete, CanExport, ExpiresAt);
}

/// <summary>What may be done with what is assigned. Reading is part of every assignment.</summary>
/// <param name="CanRead">May be left out; false is refused: revoke instead.</param>
/// <param name="ExpiresAt">When it ends; null: never.</param>
/// <param name="SchoolId">For one school only.</param>
/// <param name="GroupId">Which group, for whoever administers several that the person works in.</param>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it; left out for a new assignment.</param>
public sealed record AssignmentInput(
    bool? CanRead, bool? CanWrite, bool? CanDelete, bool? CanExport, Moment? ExpiresAt, Guid? SchoolId, Guid? GroupId,
    int? Version);

/// <summary>The same for many people at once: those named, or those of a role.</summary>
/// <param name="UserIds">At most 5,000.</param>
/// <param name="Role">The membership role whose people are meant, when none are named.</param>
/// <param name="ModuleIds">At most 100 in all, with <paramref name="CategoryIds"/>.</param>
/// <param name="Revoke">Whether to take away rather than to give.</param>
public sealed record BulkInput(
    Guid[]? UserIds, string? Role, Guid[]? ModuleIds, Guid[]? CategoryIds, bool? CanWrite, bool? CanDelete, bool? CanExport,
    Moment? ExpiresAt, Guid? SchoolId, bool? Revoke)
{
    internal const int MaxPeople = 5_000;
    internal const int MaxTargets = 100;
    internal const int MaxPairs = 100_000;

    internal BulkInput Checked()
    {
        var targets = (ModuleIds?.Length ?? 0) + (CategoryIds?.Length ?? 0);
        var people = UserIds?.Length ?? 0;
        new Validation()
            .That("modules", targets > 0, "assignment.nothing").Between("modules", targets, 0, MaxTargets)
            .That("people", people > 0 || Role is not null, "assignment.nobody")
            .Between("people", people, 0, Math.Min(MaxPeople, MaxPairs / Math.Max(1, targets)))
            .That("role", Role is null || Memberships.Roles.Contains(Role), "field.invalid").Check();
        return this;
    }
}

/// <summary>
/// What became of one person and target: <c>assigned</c>, <c>updated</c>, <c>unchanged</c>, <c>revoked</c>, or the code of a refusal.
/// </summary>
/// <param name="IsWhole">Whether the whole call was refused, and this names only its first pair.</param>
public sealed record AssignmentOutcome(Guid? GroupId, Guid? UserId, Guid? ModuleId, Guid? CategoryId, string Outcome, bool IsWhole);

/// <summary>What became, or would become, of a bulk assignment.</summary>
/// <param name="People">How many people are concerned.</param>
/// <param name="Outcomes">How many assignments had which outcome.</param>
/// <param name="Refused">The refused ones, at most 100.</param>
public sealed record BulkResult(int People, IReadOnlyDictionary<string, int> Outcomes, IReadOnlyList<AssignmentOutcome> Refused);

/// <summary>An attempt to assign (document 003, <c>module_assignment_logs</c>), accepted or refused.</summary>
/// <param name="Action"><c>assigned</c>, <c>updated</c>, <c>revoked</c> or <c>refused</c>.</param>
/// <param name="Reason">The code of the refusal.</param>
/// <param name="User">Null where the reader may not know the person.</param>
/// <param name="Target">The module's or category's name.</param>
public sealed record AssignmentLogEntry(
    long Id, string Action, string? Reason, Guid? UserId, string? User, Guid? ModuleId, Guid? CategoryId, string? Target, Guid? SchoolId,
    string? School,
    Guid? GroupId, Guid? AssignedById, string? AssignedBy, AssignedRights? Before, AssignedRights? After, DateTime At);

/// <summary>Rights as the log keeps them.</summary>
public sealed record AssignedRights(bool Read, bool Write, bool Delete, bool Export, DateTimeOffset? ExpiresAt)
{
    /// <summary>What may be done, in the reader's words.</summary>
    internal string Words(Microsoft.Extensions.Localization.IStringLocalizer<Strings> strings) =>
        string.Join(
            ", ",
            new[] { ("r", Read), ("w", Write), ("d", Delete), ("e", Export) }.Where(r => r.Item2)
            .Select(r => strings["right." + r.Item1].Value));

    /// <summary>What is asked for.</summary>
    internal static AssignedRights Of(bool? write, bool? delete, bool? export, Moment? expiresAt) =>
        new(true, write ?? false, delete ?? false, export ?? false, expiresAt);

    internal string ToJson() => System.Text.Json.JsonSerializer.Serialize(this, System.Text.Json.JsonSerializerOptions.Web);

    internal static AssignedRights? Parse(string? json) =>
        json is null ? null : System.Text.Json.JsonSerializer.Deserialize<AssignedRights>(json, System.Text.Json.JsonSerializerOptions.Web);
}

/// <summary>The roles that memberships have (glossary).</summary>
public static class Memberships
{
    /// <summary>Those of a school.</summary>
    public static readonly string[] SchoolRoles = ["head", "deputy_head", "secretary", "teacher", "bursar", "supervisor", "librarian"];

    public static readonly string[] Roles = ["group_admin", .. SchoolRoles];
}
