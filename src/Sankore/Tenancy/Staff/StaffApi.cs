using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>A group's staff over HTTP, for its administrators and the operator: row policies say whose staff is theirs to keep.</summary>
internal static class StaffApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api", "network");
        api.MapGet("/groups/{groupId:guid}/staff", List).ForPeople();
        api.MapPost("/groups/{groupId:guid}/staff", Invite).ForPeople();
        api.MapPost("/groups/{groupId:guid}/invitations/{id:guid}/send", SendAgain).ForPeople();
        api.MapPut("/memberships/{id:guid}", Update).ForPeople();
    }

    private static Task<Paged<StaffMember>> List(
        Caller caller, Guid groupId, [AsParameters] ListQuery query, [AsParameters] StaffFilter filter, Staff staff,
        CancellationToken ct) =>
        staff.List(caller, groupId, query, filter, ct);

    private static Task<Admission> Invite(Caller caller, Guid groupId, StaffInput input, Staff staff, CancellationToken ct) =>
        staff.Invite(caller, groupId, input, ct);

    private static Task SendAgain(Caller caller, Guid groupId, Guid id, Staff staff, CancellationToken ct) =>
        staff.SendAgain(caller, groupId, id, ct);

    private static Task Update(Caller caller, Guid id, IfMatch match, MembershipInput input, Staff staff, CancellationToken ct) =>
        staff.Update(caller, id, match.Or(input.Version), input, ct);
}
