using System.Net;
using Sankore.Platform.Security;
using Sankore.Rbac;

namespace Sankore.Tests.Tenancy;

/// <summary>
/// Invitations are listed, withdrawn, sent again and expire; and accepting one asks again for everything that inviting asked for.
/// </summary>
public sealed class InvitationLifeTests(World world) : IClassFixture<World>
{
    [Theory]
    [InlineData("the inviter's place ended"), InlineData("the inviter's account is gone"), InlineData("the person was dismissed")]
    [InlineData("the school was closed"), InlineData("the group was closed"), InlineData("withdrawn"), InlineData("its time is over")]
    public async Task An_invitation_into_a_place_ends_with_what_it_stood_on(string what)
    {
        foreach (var hasAccount in new[] { false, true })
        {
            var tenant = await NewTenant();
            var inviter = await world.NewPerson(tenant.GroupId, null, "group_admin");
            using var admin = await world.As(inviter);
            var email = hasAccount ? await world.NewPerson() : $"{Catalogue.Word()}@example.org";
            await admin.Hire(tenant.GroupId, email, tenant.SchoolId).Json();
            var link = await world.LinkOf(email);
            (await Accept(link, hasAccount ? email : null, look: true)).ShouldBe("open", what);
            await Undo(what, tenant, inviter, email, hasAccount);
            (await Accept(link, hasAccount ? email : null)).ShouldBe("LINK_INVALID", $"{what}, {hasAccount}");
            using var browser = new Browser(world.Address);
            (await browser.Page(link)).ShouldNotContain("Form.Password");
            (await world.Sql<long>("""
                select count(*) from tenancy.current_memberships m join auth.users u on u.id = m.user_id
                where u.email = @email and m.school_group_id = @GroupId and (u.password_hash is not null or @dismissed)
                """, new { email, tenant.GroupId, dismissed = what == "the person was dismissed" })).ShouldBe(0);
        }
    }

    [Theory]
    [InlineData("the role is gone"), InlineData("the role has ended"), InlineData("the account is gone"), InlineData("the key is revoked")]
    public async Task An_invitation_into_a_role_ends_with_the_rights_of_whoever_invited(string what)
    {
        var inviter = await world.NewPerson(platformRole: "admin");
        using var client = await world.As(inviter);
        using var key = world.Nobody();
        var made = await client.Post("/api/api-keys", new { name = "Key", permissions = All });
        key.DefaultRequestHeaders.Authorization = new("Bearer", made.Text("secret"));
        var email = $"{Catalogue.Word()}@example.org";
        (await (what == "the key is revoked" ? key : client).Post("/api/invitations", new { email, role = "admin" })).Status
            .ShouldBe(HttpStatusCode.Accepted);
        var link = (await world.MailTo(email, "/setup")).Link("/setup");
        (await Accept(link, null, look: true)).ShouldBe("open");
        await world.Execute(what switch
        {
            "the role is gone" => TakeRoleSql,
            "the role has ended" => "update rbac.user_roles set expires_at = now() where user_id = @id",
            "the account is gone" => "delete from auth.users where id = @id",
            _ => "update rbac.api_keys set revoked_at = now() where created_by = @id",
        }, new { id = await world.IdOf(inviter) });
        (await Accept(link, null)).ShouldBe("LINK_INVALID");
        (await world.Sql<long>("select count(*) from auth.users where email = @email", new { email })).ShouldBe(0);
    }

    [Fact]
    public async Task A_key_gives_no_more_than_it_has()
    {
        using var admin = await world.As(Cast.Super);
        using var small = await Key(admin, "identity.manage_keys", "identity.invite");
        (await small.Post("/api/api-keys", new { name = "More", permissions = new[] { "rbac.grant", "tenancy.delete" } })).Code
            .ShouldBe("NOT_YOURS_TO_GIVE");
        var email = $"{Catalogue.Word()}@example.org";
        (await small.Post("/api/invitations", new { email, role = "admin" })).Code.ShouldBe("NOT_YOURS_TO_GIVE");
        (await small.Post("/api/invitations", new { email })).Code.ShouldBe("NOT_YOURS_TO_GIVE");
        (await small.Post("/api/invitations", new { email, role = "king" })).Code.ShouldBe("ROLE_UNKNOWN");
        var same = await small.Post("/api/api-keys", new { name = "Same", permissions = new[] { "identity.manage_keys" } });
        same.Code.ShouldBeNull();
        using var granting = await Key(admin, "rbac.grant");
        (await granting.Post($"/api/users/{await world.IdOf(Cast.Teacher1)}/roles",
            new { role = "admin" })).Code.ShouldBe("NOT_YOURS_TO_GIVE");
        (await granting.Post($"/api/users/{await world.IdOf(Cast.Teacher1)}/roles", new { role = "premium_member" })).Code.ShouldBeNull();
    }

    [Fact]
    public async Task What_a_key_may_ends_with_the_rights_of_whoever_made_it()
    {
        var maker = await world.NewPerson(platformRole: "admin");
        using var client = await world.As(maker);
        using var key = await Key(client, "tenancy.read", "identity.manage_keys");
        using var child = await Key(key, "tenancy.read");
        foreach (var service in new[] { key, child })
        {
            (await service.Ask("/api/modules")).Code.ShouldBeNull();
        }
        await world.Execute(TakeRoleSql, new { id = await world.IdOf(maker) });
        foreach (var service in new[] { key, child })
        {
            (await service.Ask("/api/modules")).Code.ShouldBe("FORBIDDEN");
        }
        using var admin = await world.As(Cast.Super);
        var listed = (await admin.Ask("/api/api-keys")).Items.First(k => k.Text("createdBy").Contains(maker, StringComparison.Ordinal));
        (listed.GetProperty("permissions").GetArrayLength(), listed.GetProperty("inForce").GetArrayLength()).ShouldBe((2, 0));
        (await world.Sql<bool>("""
            select key_id is not null from audit.audit_logs
            where table_name = 'rbac.api_keys' and action = 'INSERT' and after ->> 'created_by_key' is not null
            """)).ShouldBeTrue();
    }

    [Fact]
    public async Task Invitations_are_listed_sent_again_and_withdrawn_by_those_whose_they_are()
    {
        var (tenant, other) = (await NewTenant(), await NewTenant());
        using var admin = await world.As(tenant.Admin);
        using var neighbour = await world.As(other.Admin);
        using var super = await world.As(Cast.Super);
        var email = $"{Catalogue.Word()}@example.org";
        await admin.Hire(tenant.GroupId, email, tenant.SchoolId).Json();
        var first = await world.LinkOf(email);
        var line = (await admin.Ask($"/api/invitations?q={email}")).Items.ShouldHaveSingleItem();
        (line.Text("state"), line.Text("roleName")).ShouldBe(("open", "member"));
        (await neighbour.Ask($"/api/invitations?q={email}")).Items.ShouldBeEmpty();
        (await super.Ask($"/api/invitations?q={email}")).Items.Count.ShouldBe(1);

        (await neighbour.Remove($"/api/invitations/{line.Id()}")).Code.ShouldBe("NOT_FOUND");
        (await neighbour.Post($"/api/groups/{other.GroupId}/invitations/{line.Id()}/send", new { })).Code.ShouldBe("NOT_FOUND");
        (await admin.Post($"/api/groups/{tenant.GroupId}/invitations/{line.Id()}/send", new { })).Code.ShouldBeNull();
        var second = (await world.MailTo(email, "/setup", first)).Link("/setup");
        (await Accept(first, null)).ShouldBe("LINK_INVALID");
        (await Accept(second, null, look: true)).ShouldBe("open");
        (await admin.Remove($"/api/invitations/{line.Id()}")).Code.ShouldBeNull();
        (await admin.Remove($"/api/invitations/{line.Id()}")).Code.ShouldBe("NOT_FOUND");
        (await Accept(second, null)).ShouldBe("LINK_INVALID");
        (await admin.Ask($"/api/invitations?q={email}")).Items.Single().Text("state").ShouldBe("withdrawn");
    }

    [Fact]
    public async Task The_staff_page_sends_again_and_withdraws_and_says_what_became_of_it()
    {
        var tenant = await NewTenant();
        using var admin = await world.As(tenant.Admin);
        var email = $"{Catalogue.Word()}@example.org";
        await admin.Hire(tenant.GroupId, email, tenant.SchoolId).Json();
        using var browser = new Browser(world.Address);
        await browser.SignIn(tenant.Admin, Sankore.Identity.PasswordRules.Demo);
        var page = $"/groups/{tenant.GroupId}/staff";
        using (var again = await browser.Submit(page, "again-"))
        {
            again.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        }
        using (var withdrawn = await browser.Submit(page, "withdraw-"))
        {
            withdrawn.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        }
        WebUtility.HtmlDecode(await browser.Page(page)).ShouldContain("Invitation retirée");
    }

    private const string TakeRoleSql = """
        update rbac.user_roles set is_active = false
        where user_id = @id and role_id = (select id from rbac.roles where role_name = 'admin')
        """;

    private const string PlaceSql = """
        insert into tenancy.memberships (id, user_id, school_group_id, school_id, role)
        select gen_random_uuid(), id, @GroupId, @SchoolId, 'teacher' from auth.users where email = @email;
        """;

    private static readonly string[] All =
        ["identity.invite", "rbac.grant", "tenancy.read", "tenancy.manage", "tenancy.delete", "identity.read", "identity.manage_keys",
            "rbac.read",
            "audit.read", "operations.read", "operations.manage", "identity.recover"];

    private async Task Undo(string what, Tenant tenant, string inviter, string email, bool hasAccount)
    {
        using var super = await world.As(Cast.Super);
        switch (what)
        {
            case "the inviter's place ended":
                await world.Execute("update tenancy.memberships set expires_at = now() where user_id = @id",
                    new { id = await world.IdOf(inviter) });
                break;
            case "the inviter's account is gone":
                await world.Execute("delete from auth.users where email = @inviter", new { inviter });
                break;
            case "the person was dismissed":
                await world.Execute($"""
                    {(hasAccount ? PlaceSql : "")}
                    update tenancy.memberships set status = 'inactive' where user_id = (select id from auth.users where email = @email)
                    """, new { email, tenant.GroupId, tenant.SchoolId });
                break;
            case "the school was closed":
                await super.Put($"/api/schools/{tenant.SchoolId}", new { name = Catalogue.Word(), status = "inactive", version = 1 });
                break;
            case "the group was closed":
                await super.Put($"/api/groups/{tenant.GroupId}", new { name = Catalogue.Word(), status = "inactive", version = 1 });
                break;
            case "withdrawn":
                var id = await world.Sql<Guid>("select id from rbac.invitations where email = @email", new { email });
                (await super.Remove($"/api/invitations/{id}")).Code.ShouldBeNull();
                break;
            default:
                await world.Execute("update rbac.invitations set expires_at = now() where email = @email", new { email });
                break;
        }
    }

    /// <summary>What comes of the link: joined by whom the address belongs to, or accepted with a password.</summary>
    private async Task<string> Accept(string link, string? joins, bool look = false)
    {
        try
        {
            var ct = TestContext.Current.CancellationToken;
            var token = Hiring.Token(link);
            var caller = joins is null ? Caller.Anonymous : Caller.Person(await world.IdOf(joins));
            await world.Invite(i => look ? i.Find(token, ct) : joins is not null ? i.Join(caller, token, ct)
                : i.Accept(new AcceptInput(token, null, "Amina", Newcomers.Password), ct));
            return look ? "open" : "accepted";
        }
        catch (Refusal refusal)
        {
            return refusal.Reason.Code;
        }
    }

    private async Task<HttpClient> Key(HttpClient maker, params string[] permissions)
    {
        var made = await maker.Post("/api/api-keys", new { name = "Key", permissions });
        var client = world.Nobody();
        client.DefaultRequestHeaders.Authorization = new("Bearer", made.Text("secret"));
        return client;
    }

    private async Task<Tenant> NewTenant()
    {
        using var super = await world.As(Cast.Super);
        return await world.NewTenant(super, await super.NewPlan());
    }
}
