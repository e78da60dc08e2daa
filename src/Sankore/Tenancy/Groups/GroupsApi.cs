using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>
/// School groups and their schools over HTTP. A group's administrators have no permission of the platform: row policies say whose
/// schools are theirs to keep.
/// </summary>
internal static class GroupsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api", "network");
        api.MapGet("/groups", List).NeedsOfServices("tenancy.read");
        api.MapGet("/groups/{id:guid}", Find).NeedsOfServices("tenancy.read");
        api.MapPost("/groups", Create).Needs("tenancy.manage");
        api.MapPut("/groups/{id:guid}", Update).Needs("tenancy.manage");

        api.MapGet("/schools", Schools).NeedsOfServices("tenancy.read");
        api.MapGet("/schools/{id:guid}", School).NeedsOfServices("tenancy.read");
        api.MapPost("/groups/{groupId:guid}/schools", CreateSchool).ForPeople();
        api.MapPut("/schools/{id:guid}", UpdateSchool).ForPeople();
    }

    private static Task<Paged<Group>> List(
        Caller caller, [AsParameters] ListQuery query, string? state, Groups groups, CancellationToken ct) =>
        groups.List(caller, query, state, ct);

    private static Task<Group> Find(Caller caller, Guid id, Groups groups, CancellationToken ct) => groups.Find(caller, id, ct);

    private static async Task<Created<Group>> Create(Caller caller, GroupInput input, Groups groups, CancellationToken ct)
    {
        var group = await groups.Create(caller, input, ct);
        return TypedResults.Created($"/api/groups/{group.Id}", group);
    }

    private static Task<Group> Update(Caller caller, Guid id, IfMatch match, GroupInput input, Groups groups, CancellationToken ct) =>
        groups.Update(caller, id, match.Or(input.Version), input, ct);

    private static Task<Paged<School>> Schools(
        Caller caller, [AsParameters] ListQuery query, Guid? group, Groups groups, CancellationToken ct) =>
        groups.Schools(caller, query, group, ct);

    private static Task<School> School(Caller caller, Guid id, Groups groups, CancellationToken ct) => groups.School(caller, id, ct);

    private static async Task<Created<School>> CreateSchool(
        Caller caller, Guid groupId, SchoolInput input, Groups groups, CancellationToken ct)
    {
        var school = await groups.CreateSchool(caller, groupId, input, ct);
        return TypedResults.Created($"/api/schools/{school.Id}", school);
    }

    private static Task<School> UpdateSchool(
        Caller caller, Guid id, IfMatch match, SchoolInput input, Groups groups, CancellationToken ct) =>
        groups.UpdateSchool(caller, id, match.Or(input.Version), input, ct);
}
