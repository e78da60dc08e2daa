using System.Net;
using Npgsql;

namespace Sankore.Tests.Rbac;

/// <summary>Granting and revoking: what the database refuses whoever asks, and what the API says of it.</summary>
public sealed class RoleTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task An_administrator_grants_a_role_and_the_log_says_so()
    {
        using var admin = await world.As(Cast.Super);
        var teacher = await world.IdOf(Cast.Teacher1);
        (await admin.Post($"/api/users/{teacher}/roles", new { role = "moderator", reason = "aide" }))
            .Status.ShouldBe(HttpStatusCode.NoContent);
        (await Roles(admin, teacher)).ShouldBe(["moderator", "member"]);
        (await admin.Remove($"/api/users/{teacher}/roles/moderator?reason=fini")).Status.ShouldBe(HttpStatusCode.NoContent);
        (await Roles(admin, teacher)).ShouldBe(["member"]);

        var log = await world.AsRole<string>(
            "authenticated", teacher,
            "select l.operation || ' ' || l.reason || ' ' || l.performed_by from rbac.role_grants_log l"
            + " where l.reason in ('aide', 'fini') order by l.created_at");
        var by = await world.IdOf(Cast.Super);
        log.ShouldBe([$"GRANT aide {by}", $"REVOKE fini {by}"]);
    }

    [Fact]
    public async Task Nobody_grants_themselves_anything()
    {
        using var admin = await world.As(Cast.Super);
        var me = await world.IdOf(Cast.Super);
        foreach (var role in (string[])["admin", "moderator", "visitor"])
        {
            var answer = await admin.Post($"/api/users/{me}/roles", new { role });
            (answer.Status, answer.Code).ShouldBe((HttpStatusCode.Forbidden, "SELF_GRANT"));
            (await Refusal(me, $"select rbac.grant_role('{me}', '{role}')::text")).ShouldBe("SELF_GRANT");
        }
        var head = await world.IdOf(Cast.HeadOnPremium);
        (await Refusal(head, $"select rbac.grant_role('{head}', 'admin')::text")).ShouldBe("FORBIDDEN");
    }

    [Fact]
    public async Task Nobody_writes_the_tables_of_rights_directly()
    {
        foreach (var person in (Guid[])[await world.IdOf(Cast.Super), await world.IdOf(Cast.HeadOnPremium)])
        {
            foreach (var statement in (string[])[
                $"insert into rbac.user_roles (user_id, role_id) select '{person}', id from rbac.roles where role_name = 'admin'",
                    "update rbac.user_roles set is_active = true, expires_at = null",
                "delete from rbac.user_roles",
                "insert into rbac.role_permissions (role_id, permission_id) select r.id, p.id from rbac.roles r, rbac.permissions p",
                "delete from rbac.role_permissions",
                "update rbac.roles set role_name = 'root'",
                "insert into rbac.permissions (permission_key, domain, action, description) values ('a.b', 'a', 'b', '')",
                "update rbac.role_grants_log set performed_by = null", "delete from rbac.role_grants_log",
                "insert into rbac.role_grants_log (user_id, role_id, operation) select user_id, role_id, 'GRANT' from rbac.user_roles",
                "update rbac.api_keys set revoked_at = null",
                "insert into rbac.invitations (id, role_name, token_hash, expires_at) values (gen_random_uuid(), 'admin', '\\x00', now())",
            ])
            {
                (await Should.ThrowAsync<PostgresException>(() => world.AsRole<int>("authenticated", person, statement), statement))
                    .SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, statement);
            }
        }
    }

    [Fact]
    public async Task A_member_neither_grants_nor_revokes_nor_reads_roles()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var other = await world.IdOf(Cast.Teacher1);
        (await head.Post($"/api/users/{other}/roles", new { role = "admin" })).Code.ShouldBe("FORBIDDEN");
        (await head.Remove($"/api/users/{other}/roles/member")).Code.ShouldBe("FORBIDDEN");
        foreach (var path in (string[])["/api/roles", "/api/users", $"/api/users/{other}/roles", "/api/api-keys"])
        {
            var answer = await head.Ask(path);
            (answer.Status, answer.Code).ShouldBe((HttpStatusCode.Forbidden, "FORBIDDEN"), path);
        }
        var me = await world.IdOf(Cast.HeadOnPremium);
        (await Refusal(me, $"select rbac.grant_role('{other}', 'visitor')::text")).ShouldBe("FORBIDDEN");
        (await Refusal(me, $"select rbac.revoke_role('{other}', 'member')::text")).ShouldBe("FORBIDDEN");
    }

    [Fact]
    public async Task A_moderator_sees_people_but_grants_nothing()
    {
        var (moderator, other) = (await world.IdOf("head.s0004@sankore.test"), await world.IdOf(Cast.Teacher1));
        await Grant(moderator, "moderator");
        using var client = await world.As("head.s0004@sankore.test");
        (await client.Ask("/api/users")).Status.ShouldBe(HttpStatusCode.OK);
        (await client.Post($"/api/users/{other}/roles", new { role = "visitor" })).Code.ShouldBe("FORBIDDEN");
        (await Refusal(moderator, $"select rbac.grant_role('{other}', 'visitor')::text")).ShouldBe("FORBIDDEN");
    }

    [Theory]
    [InlineData("pope", null, "ROLE_UNKNOWN", 422), InlineData("moderator", "2020-01-01T00:00:00Z", "EXPIRY_PAST", 422),
        InlineData("", null, "VALIDATION_FAILED", 400)]
    public async Task What_cannot_be_granted_is_refused_in_words(string role, string? expiresAt, string code, int status)
    {
        using var admin = await world.As(Cast.Super);
        var answer = await admin.Post($"/api/users/{await world.IdOf(Cast.Admin2)}/roles", new { role, expiresAt });
        ((int)answer.Status, answer.Code).ShouldBe((status, code));
    }

    [Fact]
    public async Task Whoever_is_not_there_is_granted_nothing()
    {
        using var admin = await world.As(Cast.Super);
        (await admin.Post($"/api/users/{Guid.CreateVersion7()}/roles", new { role = "moderator" })).Code.ShouldBe("NOT_FOUND");
        (await admin.Remove($"/api/users/{await world.IdOf(Cast.Admin2)}/roles/moderator")).Code.ShouldBe("NOT_FOUND");
    }

    [Fact]
    public async Task A_role_that_has_expired_gives_no_rights()
    {
        var head = await world.IdOf("head.s0005@sankore.test");
        await Grant(head, "moderator");
        (await May(head, "tenancy.read")).ShouldBeTrue();
        await world.Execute(
            "update rbac.user_roles set expires_at = now() - interval '1 second' where user_id = @head and role_id = (select id"
            + " from rbac.roles where role_name = 'moderator')", new { head });
        (await May(head, "tenancy.read")).ShouldBeFalse();
        using var admin = await world.As(Cast.Super);
        (await Roles(admin, head)).ShouldBe(["member"]);
        using var client = await world.As("head.s0005@sankore.test");
        (await client.Ask("/api/users")).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task The_rights_of_others_are_hidden()
    {
        var (head, admin) = (await world.IdOf(Cast.HeadOnEssentiel), await world.IdOf(Cast.Super));
        (await Permissions(head, admin)).ShouldBe("{}{}");
        (await Permissions(head, head)).ShouldBe("{member}{}");
        (await Permissions(admin, head)).ShouldBe("{member}{}");
        (await Permissions(admin, admin)).ShouldContain("rbac.grant");
        (await world.AsRole<Guid>("authenticated", head, "select distinct user_id from rbac.user_roles")).ShouldBe([head]);
        (await world.AsRole<Guid>("authenticated", head, "select distinct user_id from rbac.role_grants_log")).ShouldBe([head]);
        (await Should.ThrowAsync<PostgresException>(() => world.AsRole<int>("anon", null, "select 1 from rbac.user_roles")))
            .SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
    }

    [Theory]
    [InlineData("service_role"), InlineData("sankore_owner"), InlineData("postgres")]
    public async Task The_log_of_grants_is_rewritten_by_nobody(string role)
    {
        foreach (var statement in (
            string[])["update rbac.role_grants_log set reason = 'planted'", "delete from rbac.role_grants_log",
            "truncate rbac.role_grants_log"])
        {
            var current = role == "postgres" ? "" : $"set local role {role};";
            (await Should.ThrowAsync<PostgresException>(() => world.Execute($"begin; {current} {statement}; commit"), statement))
                .SqlState.ShouldBeOneOf("SK001", "42501");
        }
    }

    private Task<IReadOnlyList<string>> Grant(Guid to, string role) =>
        world.AsRole<string>("service_role", null, $"select rbac.grant_role('{to}', '{role}')::text");

    private async Task<bool> May(Guid person, string permission) =>
        (await world.AsRole<bool>("authenticated", person, $"select rbac.has_permission('{person}', '{permission}')"))[0];

    private async Task<string> Permissions(Guid asking, Guid of) => (await world.AsRole<string>(
        "authenticated", asking, $"select roles::text || permissions::text from rbac.get_user_permissions('{of}')"))[0];

    private async Task<string> Refusal(Guid asking, string sql)
    {
        var refused = await Should.ThrowAsync<PostgresException>(() => world.AsRole<string>("authenticated", asking, sql));
        refused.SqlState.ShouldBe("SK001");
        return refused.MessageText;
    }

    private static async Task<IEnumerable<string>> Roles(HttpClient admin, Guid person) =>
        (await admin.Ask($"/api/users/{person}/roles")).Items.Select(r => r.GetProperty("role").GetString()!);
}
