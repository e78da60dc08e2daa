using System.Net;
using Sankore.Identity;
using Sankore.Platform.Security;
using Sankore.Rbac;

namespace Sankore.Tests.Tenancy;

/// <summary>
/// A group's administrators and the operator bring people in: somebody new gets an account and sets the password by the link.
/// </summary>
public sealed class StaffApiTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Somebody_new_has_an_account_and_a_place_and_sets_the_password_by_the_link()
    {
        var tenant = await NewTenant();
        using var admin = await world.As(tenant.Admin);
        var email = $"{Catalogue.Word()}@example.org";
        (await admin.Hire(tenant.GroupId, $"  {email} ", tenant.SchoolId).Hired()).ShouldBe((1, 0, 0, 0));
        var place = await admin.PlaceOf(tenant.GroupId, email);
        (place.Text("name"), place.Text("role"), place.Text("school"), place.GetProperty("isInvited").GetBoolean())
            .ShouldBe(("Amina Nkounkou", "teacher", tenant.School.Text("name"), true));
        (await world.Sql<bool>("select password_hash is null from auth.users where email = @email", new { email })).ShouldBeTrue();
        using var client = world.Nobody();
        foreach (var password in new[] { "", PasswordRules.Demo, Newcomers.Password, email })
        {
            using var login = await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password });
            login.StatusCode.ShouldBeOneOf(HttpStatusCode.Unauthorized, HttpStatusCode.BadRequest);
        }

        var mail = await world.MailTo(email, "/setup");
        mail.Text.ShouldContain(tenant.Group.Text("name"));
        using (var browser = new Browser(world.Address))
        {
            using var accepted = await browser.Submit(
                mail.Link("/setup"), "Form.Token", ("Form.DisplayName", "Aminata N."), ("Form.Password", Newcomers.Password));
            accepted.StatusCode.ShouldBe(HttpStatusCode.Redirect, await accepted.Body());
        }
        client.Bears(await client.Login(email));
        var me = await client.Ask(HttpMethod.Get, "/api/me").Json();
        me.Text("displayName").ShouldBe("Aminata N.");
        var seen = me.GetProperty("memberships").EnumerateArray().ShouldHaveSingleItem();
        (seen.GetProperty("groupId").GetGuid(), seen.GetProperty("schoolId").GetGuid(), seen.Text("role"))
            .ShouldBe((tenant.GroupId, tenant.SchoolId, "teacher"));
        (await admin.PlaceOf(tenant.GroupId, email)).GetProperty("isInvited").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task A_link_works_once()
    {
        var tenant = await NewTenant();
        var (email, link) = await Invited(tenant);
        await Accept(link, Newcomers.Password);
        var refusal = await Should.ThrowAsync<Refusal>(() => Accept(link, "un autre mot de passe"));
        (refusal.Reason.Status, refusal.Reason.Code).ShouldBe((410, "LINK_INVALID"));
        using var browser = new Browser(world.Address);
        (await browser.Page(link)).ShouldNotContain("Form.Password");
        using var client = world.Nobody();
        await client.Login(email);
        using var login = await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = "un autre mot de passe" });
        login.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task An_invitation_sent_again_ends_the_one_before_and_only_while_it_is_open()
    {
        var tenant = await NewTenant();
        var (email, first) = await Invited(tenant);
        var id = await world.IdOf(email);
        using var admin = await world.As(tenant.Admin);
        using var stranger = await world.As(Cast.Admin2);
        var invitation = (await admin.PlaceOf(tenant.GroupId, email)).GetProperty("invitationId").GetGuid();
        var again = $"/api/groups/{tenant.GroupId}/invitations/{invitation}/send";
        await stranger.Ask(HttpMethod.Post, again).ShouldRefuse(404, "NOT_FOUND");
        (await admin.Ask(HttpMethod.Post, again)).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        (await Should.ThrowAsync<Refusal>(() => Accept(first, Newcomers.Password))).Reason.Code.ShouldBe("LINK_INVALID");
        (await world.Sql<int>("select count(*) from rbac.invitations where user_id = @id and used_at is null", new { id })).ShouldBe(1);
        await Accept((await world.MailTo(email, "/setup", first)).Link("/setup"), Newcomers.Password);
        await admin.Ask(HttpMethod.Post, again).ShouldRefuse(404, "NOT_FOUND");
    }

    [Theory]
    [InlineData(PasswordRules.Demo, "Amina")]
    [InlineData("court", "Amina")]
    [InlineData("", "Amina")]
    [InlineData(Newcomers.Password, " ")]
    [InlineData(null, "Amina")]
    public async Task What_is_refused_keeps_the_link(string? password, string name)
    {
        var tenant = await NewTenant();
        var (email, link) = await Invited(tenant);
        using (var browser = new Browser(world.Address))
        {
            // Null: the address itself.
            using var refused = await browser.Submit(link, "Form.Token", ("Form.DisplayName", name), ("Form.Password", password ?? email));
            (await refused.Body()).ShouldContain("aria-invalid=\"true\"");
        }
        (await world.Sql<bool>("select password_hash is null from auth.users where email = @email", new { email })).ShouldBeTrue();
        await Accept(link, Newcomers.Password);
        using var client = world.Nobody();
        await client.Login(email);
    }

    [Fact]
    public async Task Of_several_clicks_at_once_one_sets_the_password()
    {
        var tenant = await NewTenant();
        var (email, link) = await Invited(tenant);
        string[] passwords = [.. Enumerable.Range(0, 4).Select(i => $"le mot de passe numéro {i}")];
        var outcomes = await Task.WhenAll(passwords.Select(async p =>
        {
            try
            {
                await Accept(link, p);
                return true;
            }
            catch (Refusal refusal)
            {
                refusal.Reason.Code.ShouldBe("LINK_INVALID");
                return false;
            }
        }));
        outcomes.Count(o => o).ShouldBe(1);
        using var client = world.Nobody();
        await client.Login(email, passwords[Array.IndexOf(outcomes, true)]);
    }

    [Fact]
    public async Task Somebody_of_the_group_gets_another_place_at_once()
    {
        var tenant = await NewTenant();
        using var admin = await world.As(tenant.Admin);
        var second = await admin.NewSchool(tenant.GroupId);
        using var teacher = await world.As(tenant.Teacher);
        (await admin.Hire(tenant.GroupId, tenant.Teacher.ToUpperInvariant(), second.Id(), "librarian").Hired()).ShouldBe((0, 1, 0, 0));
        (await teacher.Ask(HttpMethod.Get, "/api/me").Json()).GetProperty("memberships").Texts("role")
            .ShouldBe(["teacher", "librarian"], ignoreOrder: true);
        await admin.Hire(tenant.GroupId, tenant.Teacher, second.Id(), "librarian").ShouldRefuse(409, "ALREADY_MEMBER");
        await admin.Hire(tenant.GroupId, tenant.Teacher, tenant.SchoolId).ShouldRefuse(409, "ALREADY_MEMBER");
        (await world.Sql<int>("select count(*)::int from rbac.invitations where email = @email", new { email = tenant.Teacher }))
            .ShouldBe(0);

        // A place that had ended is there again, without its end.
        await world.Execute(
            "update tenancy.memberships set status = 'inactive', expires_at = now() where user_id = @id and role = 'librarian'",
            new { id = await world.IdOf(tenant.Teacher) });
        (await admin.Hire(tenant.GroupId, tenant.Teacher, second.Id(), "librarian").Hired()).ShouldBe((0, 1, 0, 0));
        (await teacher.Ask(HttpMethod.Get, "/api/me").Json()).GetProperty("memberships").GetArrayLength().ShouldBe(2);
    }

    [Theory]
    [InlineData("email", "nobody", "email")]
    [InlineData("email", "a@example.org, b@example.org", "email")]
    [InlineData("email", null, "email")]
    [InlineData("name", " ", "name")]
    [InlineData("role", "king", "role")]
    [InlineData("role", null, "role")]
    [InlineData("role", "group_admin", "schoolId")]
    [InlineData("schoolId", null, "schoolId")]
    [InlineData("phone", "00000000000000000000000000000000000000000", "phone")]
    public async Task What_is_wrong_is_said_beside_its_field(string field, string? value, string named)
    {
        var tenant = await NewTenant();
        using var admin = await world.As(tenant.Admin);
        var email = $"{Catalogue.Word()}@example.org";
        var body = new Dictionary<string,
            object?>
        { ["email"] = email, ["name"] = "Amina", ["role"] = "teacher", ["schoolId"] = tenant.SchoolId, [field] = value };
        (await admin.Ask(HttpMethod.Post, $"/api/groups/{tenant.GroupId}/staff", body).ShouldRefuse(400, "VALIDATION_FAILED"))
            .ErrorOf(named);
        (await world.Sql<int>("select count(*)::int from auth.users where email = @email", new { email })).ShouldBe(0);
    }

    [Fact]
    public async Task Whoever_does_not_administer_the_group_brings_nobody_in()
    {
        var tenant = await NewTenant();
        var email = $"{Catalogue.Word()}@example.org";
        (string Who, int Status)[] cases =
        [
            (Cast.Admin2, 404), (Cast.Teacher1, 404), (tenant.Teacher, 403), (await world.NewPerson(platformRole: "moderator"), 403),
            (await world.NewPerson(), 404),
        ];
        foreach (var (who, status) in cases)
        {
            using var client = await world.As(who);
            await client.Hire(tenant.GroupId, email, tenant.SchoolId).ShouldRefuse(status, status == 403 ? "FORBIDDEN" : "NOT_FOUND");
        }
        using var nobody = world.Nobody();
        await nobody.Hire(tenant.GroupId, email, tenant.SchoolId).ShouldRefuse(401, "UNAUTHENTICATED");
        (await world.Sql<int>("select count(*)::int from auth.users where email = @email", new { email })).ShouldBe(0);

        using var super = await world.As(Cast.Super);
        (await super.Hire(tenant.GroupId, email, null, "group_admin").Hired()).ShouldBe((1, 0, 0, 0));
        await super.Hire(Guid.NewGuid(), email, null, "group_admin").ShouldRefuse(404, "NOT_FOUND");
    }

    private async Task<Tenant> NewTenant()
    {
        using var super = await world.As(Cast.Super);
        return await world.NewTenant(super, await super.NewPlan());
    }

    private async Task<(string Email, string Link)> Invited(Tenant tenant)
    {
        using var admin = await world.As(tenant.Admin);
        var email = $"{Catalogue.Word()}@example.org";
        await admin.Hire(tenant.GroupId, email, tenant.SchoolId).Json();
        return (email, await world.LinkOf(email));
    }

    private Task Accept(string link, string password) =>
        world.Invite(i => i.Accept(new AcceptInput(Hiring.Token(link), null, "Amina", password), TestContext.Current.CancellationToken));
}
