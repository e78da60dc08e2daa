using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>Whom to invite, and into which role (admin, if not said).</summary>
public sealed record InvitationInput(string? Email, string? Role);

/// <summary>
/// Invitations over HTTP. Those into places are a group's administrators' to see and withdraw, as row policies say; those into roles are
/// for whoever invites.
/// </summary>
internal static class InvitationsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var invitations = routes.MapApi("/api/invitations", "rbac");
        invitations.MapGet("", List).NeedsOfServices("identity.invite");
        invitations.MapPost("", Invite).Needs("identity.invite");
        invitations.MapPost("/{id:guid}/send", SendAgain).Needs("identity.invite");
        invitations.MapDelete("/{id:guid}", Withdraw).NeedsOfServices("identity.invite");
    }

    private static Task<Paged<InvitationLine>> List(
        Caller caller, [AsParameters] ListQuery query, Invitations invitations, CancellationToken ct) =>
        invitations.List(caller, query, ofPlatform: false, ct);

    private static async Task<Accepted> Invite(Caller caller, InvitationInput input, Invitations invitations, CancellationToken ct)
    {
        await invitations.Invite(caller, input.Email, input.Role ?? "admin", ct);
        return TypedResults.Accepted((string?)null);
    }

    private static Task SendAgain(Caller caller, Guid id, Invitations invitations, CancellationToken ct) =>
        invitations.SendAgain(caller, id, ct);

    private static Task Withdraw(Caller caller, Guid id, Invitations invitations, CancellationToken ct) =>
        invitations.Withdraw(caller, id, ct);
}
