using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>Whom to invite, and into which role (admin, if not said).</summary>
public sealed record InvitationInput(string? Email, string? Role);

/// <summary>Invitations over HTTP.</summary>
internal static class InvitationsApi
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapApi("/api/invitations", "rbac").MapPost("", Invite).Needs("identity.invite");

    private static async Task<Accepted> Invite(Caller caller, InvitationInput input, Invitations invitations, CancellationToken ct)
    {
        await invitations.Invite(caller, input.Email, input.Role ?? "admin", ct);
        return TypedResults.Accepted((string?)null);
    }
}
