using System.Net;
using System.Text.Json;
using Sankore.Identity;
using Sankore.Platform.Security;
using Sankore.Rbac;

namespace Sankore.Tests.Tenancy;

/// <summary>Whoever has an account of their own elsewhere is asked, and not known to the group until they accept.</summary>
public sealed class StaffElsewhereTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Whoever_has_an_account_elsewhere_has_no_place_and_no_name_until_they_accept()
    {
        var (tenant, other) = (await NewTenant(), await NewTenant());
        using var admin = await world.As(tenant.Admin);
        using var person = await world.As(other.Teacher);
        (await admin.Hire(tenant.GroupId, other.Teacher, tenant.SchoolId, "head", "Nom inventé").Hired()).ShouldBe((0, 0, 1, 0));
        var open = await admin.PlaceOf(tenant.GroupId, other.Teacher);
        open.Text("name").ShouldBe(other.Teacher);
        open.GetProperty("isInvited").GetBoolean().ShouldBeTrue();
        foreach (var field in new[] { "membershipId", "userId", "expiresAt" })
        {
            open.GetProperty(field).ValueKind.ShouldBe(JsonValueKind.Null, field);
        }
        (await Groups(person)).ShouldBe([other.GroupId]);
        (await world.AsRole<string>(
            "authenticated", await world.IdOf(tenant.Admin), "select display_name from public.profiles where email = @email",
            new { email = other.Teacher })).ShouldBeEmpty();

        var link = await world.LinkOf(other.Teacher);
        await MakesNoSecondAccount(link);
        foreach (var email in new[] { tenant.Admin, tenant.Teacher, other.Admin })
        {
            (await Join(email, link)).ShouldBe("LINK_INVALID", email);
        }
        (await Groups(person)).ShouldBe([other.GroupId]);

        (await Join(other.Teacher, link)).ShouldBe("joined");
        (await Groups(person)).ShouldBe([other.GroupId, tenant.GroupId], ignoreOrder: true);
        var place = await admin.PlaceOf(tenant.GroupId, other.Teacher);
        (place.Text("name"), place.Text("role"), place.GetProperty("isInvited").GetBoolean())
            .ShouldBe(($"Personne {other.Teacher}", "head", false));
        (await Join(other.Teacher, link)).ShouldBe("LINK_INVALID");
    }

    /// <summary>Nor does it set a password of the one there is.</summary>
    private async Task MakesNoSecondAccount(string link)
    {
        using (var stranger = new Browser(world.Address))
        {
            (await stranger.Page(link)).ShouldNotContain("Form.Password");
        }
        var accept = new AcceptInput(Hiring.Token(link), null, "Moi", Newcomers.Password);
        (await Should.ThrowAsync<Refusal>(() => world.Invite(i => i.Accept(accept, TestContext.Current.CancellationToken))))
            .Reason.Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task The_page_of_the_link_lets_whoever_it_is_for_join()
    {
        var (tenant, other) = (await NewTenant(), await NewTenant());
        using var admin = await world.As(tenant.Admin);
        await admin.Hire(tenant.GroupId, other.Teacher, null, "group_admin").Json();
        var link = await world.LinkOf(other.Teacher);
        using var somebodyElse = new Browser(world.Address);
        await somebodyElse.SignIn(other.Admin, PasswordRules.Demo);
        (await somebodyElse.Page(link)).ShouldNotContain("Form.Token");

        using var browser = new Browser(world.Address);
        await browser.SignIn(other.Teacher, PasswordRules.Demo);
        using var joined = await browser.Submit(link, "Form.Token");
        joined.StatusCode.ShouldBe(HttpStatusCode.Redirect, await joined.Body());
        using var person = await world.As(other.Teacher);
        (await Groups(person)).ShouldBe([other.GroupId, tenant.GroupId], ignoreOrder: true);
    }

    [Fact]
    public async Task An_invitation_that_was_not_accepted_in_time_is_listed_as_over_and_not_accepted()
    {
        var (tenant, other) = (await NewTenant(), await NewTenant());
        using var admin = await world.As(tenant.Admin);
        await admin.Hire(tenant.GroupId, other.Teacher, tenant.SchoolId).Json();
        var link = await world.LinkOf(other.Teacher);
        await world.Execute("update rbac.invitations set expires_at = now() where email = @email", new { email = other.Teacher });
        (await Join(other.Teacher, link)).ShouldBe("LINK_INVALID");
        (await admin.StaffOf(tenant.GroupId)).Texts("email").ShouldBe([tenant.Admin, tenant.Teacher, other.Teacher], ignoreOrder: true);
        (await admin.PlaceOf(tenant.GroupId,
            other.Teacher)).GetProperty("invitationEndsAt").GetDateTime().ShouldBeLessThan(DateTime.UtcNow.AddHours(2));
        using var neighbour = await world.As(other.Admin);
        (await neighbour.StaffOf(other.GroupId)).ShouldAllBe(s => !s.GetProperty("isInvited").GetBoolean());
    }

    [Theory]
    [InlineData("new", false)]
    [InlineData("elsewhere", false)]
    [InlineData("colleague", false)]
    [InlineData("new", true)]
    [InlineData("elsewhere", true)]
    [InlineData("colleague", true)]
    public async Task A_school_that_is_not_the_groups_is_refused_alike_whoever_is_invited(string who, bool nil)
    {
        var (tenant, other) = (await NewTenant(), await NewTenant());
        using var admin = await world.As(tenant.Admin);
        var email = who switch { "new" => $"{Catalogue.Word()}@example.org", "elsewhere" => other.Teacher, _ => tenant.Teacher };
        await admin.Hire(tenant.GroupId, email, nil ? Guid.Empty : other.SchoolId).ShouldRefuse(422, "SCHOOL_UNKNOWN");
        (await admin.StaffOf(tenant.GroupId)).Count.ShouldBe(2);
        (await world.Sql<int>("select count(*)::int from rbac.invitations where email = @email", new { email })).ShouldBe(0);
        (await world.Sql<int>("select count(*)::int from auth.users where email = @email", new { email })).ShouldBe(who == "new" ? 0 : 1);
    }

    [Fact]
    public async Task Refusals_do_not_tell_an_address_with_an_account_from_one_without()
    {
        var (tenant, other) = (await NewTenant(), await NewTenant());
        using var admin = await world.As(tenant.Admin);
        using var stranger = await world.As(Cast.Admin2);
        using var teacher = await world.As(tenant.Teacher);
        var texts = new List<string>();
        foreach (var email in new[] { $"{Catalogue.Word()}@example.org", other.Teacher })
        {
            JsonElement[] answers =
            [
                await admin.Hire(tenant.GroupId, email, tenant.SchoolId, "king").ShouldRefuse(400, "VALIDATION_FAILED"),
                await stranger.Hire(tenant.GroupId, email, tenant.SchoolId).ShouldRefuse(404, "NOT_FOUND"),
                await teacher.Hire(tenant.GroupId, email, tenant.SchoolId).ShouldRefuse(403, "FORBIDDEN"),
            ];
            texts.Add(
                string.Join('|', answers.SelectMany(a => a.EnumerateObject()).Where(p => p.Name != "traceId").Select(p => p.ToString())));
        }
        texts[1].ShouldBe(texts[0]);
    }

    private static async Task<IReadOnlyList<Guid>> Groups(HttpClient client) =>
        [.. (await client.Ask(HttpMethod.Get, "/api/me").Json()).GetProperty("memberships").EnumerateArray()
            .Select(m => m.GetProperty("groupId").GetGuid())];

    private async Task<string> Join(string email, string link)
    {
        try
        {
            var caller = Caller.Person(await world.IdOf(email));
            await world.Invite(i => i.Join(caller, Hiring.Token(link), TestContext.Current.CancellationToken));
            return "joined";
        }
        catch (Refusal refusal)
        {
            return refusal.Reason.Code;
        }
    }

    private async Task<Tenant> NewTenant()
    {
        using var super = await world.As(Cast.Super);
        return await world.NewTenant(super, await super.NewPlan());
    }
}
