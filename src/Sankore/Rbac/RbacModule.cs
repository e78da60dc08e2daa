using Microsoft.AspNetCore.Authentication;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;

namespace Sankore.Rbac;

/// <summary>Who may do what: roles, permissions, invitations into roles, keys of services.</summary>
public sealed class RbacModule : SankoreModule
{
    public override IEnumerable<HomePart> Home => RbacHome.Parts;

    public override IEnumerable<SearchPart> Searches => RbacHome.Searches;

    public override IEnumerable<Reason> Reasons => RbacReasons.All;

    public override IReadOnlyDictionary<string, Reason> Constraints { get; } = new Dictionary<string, Reason>
    {
        ["api_keys_name_check"] = Reason.Unprocessable,
    };

    public override IEnumerable<MenuEntry> Menu =>
    [
        new("identity.read", "/admin/people", "users", "menu.people", typeof(Strings), 31),
        new("identity.manage_keys", "/admin/api-keys", "key", "menu.api_keys", typeof(Strings), 32),
    ];

    public override string InvitationSql =>
        "select i.id from rbac.invitations i where i.id = any (@ids) and rbac.invitation_stands(i)";

    public override string RightsSql => "select user_id, kind, items from rbac.rights_of_people(@userIds)";

    public override void Services(IServiceCollection services, IConfiguration configuration)
    {
        services.AddScoped<Roles>();
        services.AddScoped<Invitations>();
        services.AddScoped<AcceptedInvitations>();
        services.AddScoped<ApiKeys>();
        services.AddScoped<Registration>();
        services.AddSingleton<IJobHandler, RegistrationJob>();
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, null);
    }

    public override void Routes(IEndpointRouteBuilder routes)
    {
        RolesApi.Map(routes);
        InvitationsApi.Map(routes);
        ApiKeysApi.Map(routes);
        Registration.Map(routes);
    }
}
