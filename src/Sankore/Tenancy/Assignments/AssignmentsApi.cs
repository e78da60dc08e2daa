using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>
/// Assignments of modules and categories over HTTP. <see cref="Assignments"/> decides what a group's administrators may assign to whom,
/// and logs what it refuses.
/// </summary>
internal static class AssignmentsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api", "assignments");
        api.MapGet("/users/{userId:guid}/modules", Of).ForPeople();
        api.MapGet("/users/{userId:guid}/modules/{code}/why", Why).ForPeople();
        api.MapPut("/users/{userId:guid}/modules/{moduleId:guid}", AssignModule).ForPeople();
        api.MapPut("/users/{userId:guid}/categories/{categoryId:guid}", AssignCategory).ForPeople();
        api.MapDelete("/users/{userId:guid}/modules/{moduleId:guid}", RevokeModule).ForPeople();
        api.MapDelete("/users/{userId:guid}/categories/{categoryId:guid}", RevokeCategory).ForPeople();

        api.MapGet("/groups/{groupId:guid}/matrix", Read).ForPeople();
        api.MapPost("/groups/{groupId:guid}/assignments", Bulk).ForPeople();
        api.MapPost("/groups/{groupId:guid}/assignments/preview", Preview).ForPeople();
        api.MapGet("/assignment-logs", Logs).NeedsOfServices("tenancy.read");
    }

    /// <summary>Where an assignment holds, and its version.</summary>
    internal sealed record Place(
        [FromQuery(Name = "groupId")] Guid? GroupId,
        [FromQuery(Name = "schoolId")] Guid? SchoolId,
        IfMatch Match);

    private static Task<IReadOnlyList<Assignment>> Of(Caller caller, Guid userId, Assignments assignments, CancellationToken ct) =>
        assignments.Of(caller, userId, ct);

    private static Task<WhyView> Why(Caller caller, Guid userId, string code, ModuleAccess access, CancellationToken ct) =>
        access.Why(caller, userId, code, ct);

    private static Task<Assignment> AssignModule(
        Caller caller, Guid userId, Guid moduleId, IfMatch match, AssignmentInput input, Assignments assignments, CancellationToken ct) =>
        assignments.Assign(caller, userId, AssignmentTarget.Module(moduleId), input, match.Version ?? input.Version ?? 0, ct);

    private static Task<Assignment> AssignCategory(
        Caller caller, Guid userId, Guid categoryId, IfMatch match, AssignmentInput input, Assignments assignments, CancellationToken ct) =>
        assignments.Assign(caller, userId, AssignmentTarget.Category(categoryId), input, match.Version ?? input.Version ?? 0, ct);

    private static Task RevokeModule(Caller caller, Guid userId, Guid moduleId, [AsParameters] Place place, Assignments assignments,
        CancellationToken ct) =>
        assignments.Revoke(caller, userId, AssignmentTarget.Module(moduleId), place.GroupId, place.SchoolId, place.Match.Version, ct);

    private static Task RevokeCategory(Caller caller, Guid userId, Guid categoryId, [AsParameters] Place place, Assignments assignments,
        CancellationToken ct) =>
        assignments.Revoke(caller, userId, AssignmentTarget.Category(categoryId), place.GroupId, place.SchoolId, place.Match.Version, ct);

    private static Task<MatrixView> Read(Caller caller, Guid groupId, [AsParameters] ListQuery query, [AsParameters] MatrixFilter filter,
        Matrix matrix, CancellationToken ct) =>
        matrix.Read(caller, groupId, query, filter, ct);

    private static Task<BulkResult> Bulk(Caller caller, Guid groupId, BulkInput input, Assignments assignments, CancellationToken ct) =>
        assignments.Bulk(caller, groupId, input, false, ct);

    private static Task<BulkResult> Preview(Caller caller, Guid groupId, BulkInput input, Assignments assignments, CancellationToken ct) =>
        assignments.Bulk(caller, groupId, input, true, ct);

    private static Task<Paged<AssignmentLogEntry>> Logs(
        Caller caller, [AsParameters] ListQuery query, [AsParameters] AssignmentLogFilter filter,
        AssignmentLogs logs, CancellationToken ct) =>
        logs.List(caller, query, filter, ct);
}
