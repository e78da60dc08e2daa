using Microsoft.AspNetCore.Authentication;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>Who may do what: roles, permissions, invitations into roles, keys of services.</summary>
public sealed class RbacModule : SankoreModule
{
    /// <inheritdoc/>
    public override IEnumerable<Reason> Reasons => RbacReasons.All;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Reason> Constraints { get; } = new Dictionary<string, Reason>
    {
        ["api_keys_name_check"] = Reason.Unprocessable,
    };

    /// <inheritdoc/>
    public override IEnumerable<MenuEntry> Menu =>
    [
        new("identity.read", "/admin/people", "users", "menu.people", typeof(Strings), 31),
        new("identity.manage_keys", "/admin/api-keys", "key", "menu.api_keys", typeof(Strings), 32),
    ];

    /// <inheritdoc/>
    public override string RightsSql => "select user_id, kind, items from rbac.rights_of_people(@userIds)";

    /// <inheritdoc/>
    public override void Services(IServiceCollection services, IConfiguration configuration)
    {
        services.AddScoped<Roles>().AddScoped<Invitations>().AddScoped<ApiKeys>();
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, null);
    }

    /// <inheritdoc/>
    public override void Routes(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithTags("rbac");
        api.MapGet("/roles", (Caller caller, Roles roles, CancellationToken ct) => roles.List(caller, ct)).Needs("rbac.read");
        api.MapGet("/users", (Caller caller, [AsParameters] ListQuery query, Roles roles, CancellationToken ct) => roles.People(caller, query, ct)).Needs("identity.read");
        api.MapGet("/users/{id:guid}/roles", async (Caller caller, Guid id, Roles roles, CancellationToken ct) =>
        {
            await roles.Person(caller, id, ct);
            return await roles.Of(caller, id, ct);
        }).Needs("rbac.read");
        api.MapPost("/users/{id:guid}/roles", async (Caller caller, Guid id, GrantInput input, Roles roles, CancellationToken ct) =>
        {
            await roles.Grant(caller, id, input, ct);
            return TypedResults.NoContent();
        }).Needs("rbac.grant");
        api.MapDelete("/users/{id:guid}/roles/{role}", async (Caller caller, Guid id, string role, string? reason, Roles roles, CancellationToken ct) =>
        {
            await roles.Revoke(caller, id, role, reason, ct);
            return TypedResults.NoContent();
        }).Needs("rbac.grant");
        api.MapPost("/invitations", async (Caller caller, InvitationInput input, Invitations invitations, CancellationToken ct) =>
        {
            await invitations.Invite(caller, input.Email, input.Role ?? "admin", ct);
            return TypedResults.Accepted((string?)null);
        }).Needs("identity.invite");
        api.MapGet("/api-keys", (Caller caller, ApiKeys keys, CancellationToken ct) => keys.List(caller, ct)).Needs("identity.manage_keys");
        api.MapPost("/api-keys", (Caller caller, ApiKeyInput input, ApiKeys keys, CancellationToken ct) => keys.Create(caller, input, ct)).Needs("identity.manage_keys");
        api.MapDelete("/api-keys/{id:guid}", async (Caller caller, Guid id, ApiKeys keys, CancellationToken ct) =>
        {
            await keys.Revoke(caller, id, ct);
            return TypedResults.NoContent();
        }).Needs("identity.manage_keys");
    }
}

/// <summary>Whom to invite, and into which role (admin, if not said).</summary>
public sealed record InvitationInput(string? Email, string? Role);
