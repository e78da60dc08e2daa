using System.Net;

namespace Sankore.Tests.Identity;

/// <summary>A lost second factor: taken away by an administrator, with notice to the owner and a delay.</summary>
public sealed class RecoveryTests(World world) : IClassFixture<World>
{
    private const string Reason = "Vue avec sa carte au bureau";

    [Fact]
    public async Task A_lost_factor_is_taken_away_after_a_delay_and_its_owner_is_told()
    {
        var (id, email) = await WithFactor();
        using var admin = await world.As(Cast.Super);
        using var owner = world.Nobody();
        (await admin.Post($"/api/users/{id}/recovery", new { reason = Reason })).Code.ShouldBeNull();
        (await world.MailTo(email, "/account")).Text.ShouldContain("/account");
        (await admin.Post($"/api/users/{id}/recovery", new { reason = Reason })).Code.ShouldBe("CONFLICT");
        await owner.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = Newcomers.Password }).ShouldRefuse(401,
            "TWO_FACTOR_REQUIRED");
        (await world.Sql<bool>("""
            select due_at between now() + interval '47 hours' and now() + interval '48 hours' from auth.recoveries where user_id = @id
            """, new { id })).ShouldBeTrue();
        await ComesDue(id);
        await Waiting.Until(() => world.Sql<bool>("select not two_factor_enabled from auth.users where id = @id", new { id }),
            "it is taken away");
        await owner.Login(email);
    }

    [Theory]
    [InlineData("the administrator stops it"), InlineData("the owner signs in with the factor"),
        InlineData("the administrator is none any more")]
    public async Task It_is_stopped_by_whoever_may_and_by_what_it_stood_on(string how)
    {
        var (id, email) = await WithFactor();
        var asker = await world.NewPerson(platformRole: "admin");
        using var admin = await world.As(asker);
        (await admin.Post($"/api/users/{id}/recovery", new { reason = Reason })).Code.ShouldBeNull();
        switch (how)
        {
            case "the administrator stops it":
                (await admin.Remove($"/api/users/{id}/recovery")).Code.ShouldBeNull();
                (await admin.Remove($"/api/users/{id}/recovery")).Code.ShouldBe("NOT_FOUND");
                break;
            case "the owner signs in with the factor":
                using (var owner = world.Nobody())
                {
                    await owner.Ask(HttpMethod.Post, "/api/auth/login",
                        new { email, password = Newcomers.Password, twoFactorRecoveryCode = "one-code" }).Json();
                }
                break;
            default:
                await world.Execute("update rbac.user_roles set is_active = false where user_id = @asker",
                    new { asker = await world.IdOf(asker) });
                break;
        }
        await ComesDue(id);
        (await world.Sql<bool>("select two_factor_enabled from auth.users where id = @id", new { id })).ShouldBeTrue();
    }

    [Fact]
    public async Task Nobody_takes_the_factor_of_somebody_who_may_more_nor_their_own()
    {
        var (id, _) = await WithFactor();
        await world.Execute("""
            insert into rbac.user_roles (user_id, role_id) select @id, id from rbac.roles where role_name = 'admin';
            insert into rbac.roles (role_name, description, sort_order) values ('helper', 'Helps', 900);
            insert into rbac.role_permissions (role_id, permission_id) select r.id, p.id from rbac.roles r, rbac.permissions p
            where r.role_name = 'helper' and p.permission_key in ('identity.recover', 'identity.read')
            """, new { id });
        using var helper = await world.As(await world.NewPerson(platformRole: "helper"));
        (await helper.Post($"/api/users/{id}/recovery", new { reason = Reason })).Code.ShouldBe("NOT_YOURS_TO_GIVE");
        var (small, _) = await WithFactor();
        (await helper.Post($"/api/users/{small}/recovery", new { reason = "short" })).Code.ShouldBe("VALIDATION_FAILED");
        (await helper.Post($"/api/users/{small}/recovery", new { reason = Reason })).Code.ShouldBeNull();
        (await helper.Post($"/api/users/{await world.IdOf(Cast.Teacher1)}/recovery",
            new { reason = Reason })).Code.ShouldBe("UNPROCESSABLE");
        using var member = await world.As(Cast.Admin1);
        (await member.Post($"/api/users/{small}/recovery", new { reason = Reason })).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    /// <summary>The delay passes: its job is due.</summary>
    private async Task ComesDue(Guid id)
    {
        await world.Execute("update util.job_queue set run_at = now() where job_type = 'account_recovery'; select pg_notify('jobs', '')");
        await Waiting.Until(
            () => world.Sql<bool>("select count(*) = 0 from util.job_queue where job_type = 'account_recovery' and status <> 'completed'"),
                "its job is done");
        (await world.Sql<long>("select count(*) from auth.recoveries where user_id = @id", new { id })).ShouldBe(1);
    }

    private async Task<(Guid Id, string Email)> WithFactor()
    {
        var email = await world.Register();
        await world.Execute("""
            update auth.users set two_factor_enabled = true, recovery_codes = array[encode(sha256('one-code'), 'hex')] where email = @email
            """, new { email });
        return (await world.IdOf(email), email);
    }
}
