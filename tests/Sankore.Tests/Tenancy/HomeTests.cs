using System.Net;

namespace Sankore.Tests.Tenancy;

/// <summary>Home pages say what waits, each to whom it concerns, and what is wrong with the place is said on every page.</summary>
public sealed class HomeTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task A_group_administrator_is_told_who_was_invited_and_who_has_nothing()
    {
        var tenant = await Tenant();
        using var admin = await world.As(tenant.Admin);
        var invited = new { email = $"{Catalogue.Word()}@sankore.test", name = "Ama", schoolId = tenant.SchoolId, role = "teacher" };
        await admin.Ask(HttpMethod.Post, $"/api/groups/{tenant.GroupId}/staff", invited).Json();

        var home = await Home(tenant.Admin);
        home.ShouldContain("1 invitation attend une réponse");
        home.ShouldContain("2 personnes n’ont encore accès à aucun module", Case.Sensitive, "the teacher, and whoever was invited");
        home.ShouldContain($"/groups/{tenant.GroupId}/matrix");
        home.ShouldContain($"Personne {tenant.Teacher}", Case.Sensitive, "the teacher is new in the group");

        await world.Execute(
            "update rbac.invitations i set expires_at = now() - interval '1 minute' from tenancy.invited_places p"
            + " where p.invitation_id = i.id and p.school_group_id = @GroupId", new { tenant.GroupId });
        (await Home(tenant.Admin)).ShouldContain("1 invitation a expiré sans réponse");
        (await Home((await Tenant()).Admin)).ShouldNotContain("invitation");
    }

    [Fact]
    public async Task Somebody_with_campaigns_is_told_of_drafts_bounces_and_files_with_errors()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var name = $"Portes ouvertes {Catalogue.Word()}";
        await head.Ask(HttpMethod.Post, "/api/campaigns", new { name, subject = "Venez", content = "<p>Venez</p>" }).Json(201);
        var user = await world.IdOf(Cast.HeadOnPremium);
        await world.Execute("""
            insert into campaigns.suppressions (user_id, email, reason) values (@user, 'perdu@exemple.cg', 'bounced');
            insert into util.imports (user_id, kind, file_name, status, counts)
            values (@user, 'contacts', 'classe de 6e.csv', 'completed', '{"imported": 3, "invalid": 2}')
            """, new { user });

        var home = await Home(Cast.HeadOnPremium);
        home.ShouldContain("1 campagne est à l’état de brouillon");
        home.ShouldContain(name);
        home.ShouldContain("1 adresse a été rejetée cette semaine");
        home.ShouldContain("Un import de contacts a des lignes en erreur");
        home.ShouldContain("classe de 6e.csv");
        var other = await Home(Cast.HeadOnEssentiel);
        other.ShouldNotContain(name);
        other.ShouldNotContain("classe de 6e.csv");
        other.ShouldContain("Rien ne vous attend.");
    }

    [Fact]
    public async Task The_operator_is_told_of_subscriptions_jobs_and_lost_factors()
    {
        var (late, ending, none) = (await Tenant(), await Tenant(), await Tenant());
        await Subscription(late, "status = 'past_due', starts_at = now() - interval '1 year', ends_at = now() - interval '3 days'");
        await Subscription(ending, "auto_renew = false, ends_at = now() + interval '20 days'");
        await Subscription(none, "status = 'cancelled'");
        await world.Execute(
            "insert into util.job_queue (id, job_type, payload, status) values (gen_random_uuid(), 'mail', '{}', 'failed')");

        var (home, lists) = (await Home(Cast.Super, "/admin"), new Dictionary<string, string>());
        foreach (var (state, tenant) in new[] { ("past_due", late), ("ending", ending), ("none", none) })
        {
            home.ShouldContain($"/admin/groups?state={state}");
            lists[state] = await Home(Cast.Super, $"/admin/groups?state={state}&q={tenant.Group.Text("code")}");
            lists[state].ShouldContain(tenant.Group.Text("name"));
        }
        lists["ending"].ShouldNotContain(late.Group.Text("name"));
        home.ShouldMatch(@"\d+ groupes? (est|sont) en retard de paiement");
        home.ShouldContain("1 tâche abandonnée cette semaine");
        home.ShouldContain("Aucun serveur d’envoi n’est configuré");
        (await world.AsRole<long>("authenticated", await world.IdOf(Cast.Admin1), "select count(*) from util.troubled_jobs()"))
            .ShouldBe([0]);
        (await world.AsRole<long>("authenticated", await world.IdOf(Cast.Admin1), "select count(*) from rbac.open_recoveries()"))
            .ShouldBe([0]);
    }

    [Theory, InlineData("status = 'suspended'", "est suspendu"), InlineData("status = 'cancelled'", "est résilié"),
        InlineData("status = 'expired'", "a pris fin le")]
    public async Task Closed_to_its_people_a_group_says_why_and_whom_to_ask(string change, string said)
    {
        var tenant = await Tenant();
        (await Home(tenant.Teacher)).ShouldNotContain("class=\"flash");
        await Subscription(tenant, change);

        var teacher = await Home(tenant.Teacher, "/plan");
        teacher.ShouldContain(said);
        teacher.ShouldContain($"Qui peut y remédier\u00a0: Personne {tenant.Admin}");
        var admin = await Home(tenant.Admin, $"/groups/{tenant.GroupId}");
        admin.ShouldContain(said);
        admin.ShouldContain("Adressez-vous à l’opérateur de la plateforme.");
        admin.ShouldContain(tenant.Plan.Text("name"), Case.Sensitive, "figures and card speak of the same subscription");
        (await Home((await Tenant()).Teacher)).ShouldNotContain(said);
    }

    [Fact]
    public async Task Overdue_is_said_with_the_last_day_and_when_it_closes()
    {
        var tenant = await Tenant();
        await Subscription(
            tenant,
            "status = 'past_due', starts_at = '2026-01-01', ends_at = date_trunc('day', now()) - interval '1 day' + interval '23 h'");
        var (last, today) = (DateOnly.FromDateTime(DateTime.UtcNow.AddDays(-1)), DateOnly.FromDateTime(DateTime.UtcNow));

        var home = await Home(tenant.Teacher);
        home.ShouldContain("Le paiement de l’abonnement est en retard");
        home.ShouldContain(last.ToString("d MMM yyyy", System.Globalization.CultureInfo.GetCultureInfo("fr")));
        home.ShouldContain(last.AddDays(15).ToString("d MMM yyyy", System.Globalization.CultureInfo.GetCultureInfo("fr")));
        today.ShouldBeGreaterThan(last);
    }

    [Fact]
    public async Task Suspending_a_group_asks_with_its_schools_and_people()
    {
        var tenant = await Tenant();
        using var super = await SignedIn(Cast.Super);
        var (page, fields) = ($"/groups/{tenant.GroupId}", ("Form.Status", (string?)"suspended"));
        (string, string?)[] kept = [("Form.PlanId", tenant.PlanId.ToString()), ("Form.BillingPeriod", "yearly")];

        using (var asked = await super.Submit(page, "Form.PlanId", [.. kept, fields]))
        {
            WebUtility.HtmlDecode(await asked.Body()).ShouldContain("Cela concerne 1 groupe, 1 école et 2 personnes.");
        }
        (await Status(tenant)).ShouldBe("active");
        (await super.Submit(page, "Form.PlanId", [.. kept, fields, ("confirmed", "yes")])).StatusCode.ShouldBe(HttpStatusCode.Found);
        (await Status(tenant)).ShouldBe("suspended");
    }

    [Fact]
    public async Task Closing_a_group_or_a_school_asks_with_who_works_there()
    {
        var tenant = await Tenant();
        using var super = await SignedIn(Cast.Super);
        using (var asked = await super.Submit(
            $"/admin/groups/{tenant.GroupId}/edit", "Form.City", ("Form.Status", "inactive"), ("Form.TimeZone", "Africa/Brazzaville")))
        {
            WebUtility.HtmlDecode(await asked.Body()).ShouldContain("Cela concerne 1 groupe, 1 école et 2 personnes.");
        }
        using (var asked = await super.Submit(
            $"/schools/{tenant.SchoolId}", "Form.City", ("Form.Status", "inactive"), ("Form.Level", "primary")))
        {
            WebUtility.HtmlDecode(await asked.Body()).ShouldContain("Cela concerne 1 personne.");
        }
        (await world.Sql<long>(
            "select count(*) from tenancy.schools s join tenancy.school_groups g on g.id = s.school_group_id"
            + " where g.id = @GroupId and s.status = 'active' and g.status = 'active'", new { tenant.GroupId })).ShouldBe(1);
    }

    [Theory, InlineData(Cast.Super, "g002", true), InlineData(Cast.Admin1, "g001", false), InlineData(Cast.Admin2, "g001", false)]
    public async Task Search_finds_what_the_person_may_see_and_nothing_else(string who, string group, bool finds)
    {
        var name = await world.Sql<string>("select name from tenancy.school_groups where code = @group", new { group });
        var found = await Home(who, $"/search?q={Uri.EscapeDataString(name[^6..])}");
        found.Contains($"/groups/{await world.Sql<Guid>("select id from tenancy.school_groups where code = @group", new { group })}\"",
            StringComparison.Ordinal).ShouldBe(finds);
    }

    [Fact]
    public async Task Search_finds_people_and_schools_of_ones_own_group_only()
    {
        var (mine, other) = (await Tenant(), await Tenant());
        foreach (var (tenant, finds) in new[] { (mine, true), (other, false) })
        {
            var people = await Home(mine.Admin, $"/search?q={tenant.Teacher.Split('@')[0].ToUpperInvariant()}");
            people.Contains($"?group={tenant.GroupId}", StringComparison.Ordinal).ShouldBe(finds);
            var schools = await Home(mine.Admin, $"/search?q={tenant.School.Text("code")}");
            schools.Contains($"/schools/{tenant.SchoolId}", StringComparison.Ordinal).ShouldBe(finds);
        }
        (await Home(mine.Teacher, $"/search?q={mine.School.Text("code")}")).ShouldNotContain("/schools/");
        (await Home(mine.Admin, "/search?q=%25")).ShouldContain("au moins deux lettres");
        (await Home(mine.Admin, "/search?q=%25%25")).ShouldContain("Rien ne correspond");
        (await Home(mine.Admin, $"/search?q={new string('a', 5000)}")).ShouldContain("Rien ne correspond");
    }

    private async Task<Tenant> Tenant()
    {
        using var super = await world.As(Cast.Super);
        return await world.NewTenantWith(super, await super.NewModule());
    }

    private Task<int> Subscription(Tenant tenant, string set) =>
        world.Execute($"update tenancy.subscriptions set {set} where school_group_id = @GroupId", new { tenant.GroupId });

    private Task<string> Status(Tenant tenant) =>
        world.Sql<string>("select status from tenancy.subscriptions where school_group_id = @GroupId", new { tenant.GroupId });

    private async Task<Browser> SignedIn(string email)
    {
        var browser = new Browser(world.Address);
        (await browser.SignIn(email, Sankore.Identity.PasswordRules.Demo)).StatusCode.ShouldBe(HttpStatusCode.Found);
        return browser;
    }

    private async Task<string> Home(string email, string path = "/")
    {
        using var browser = await SignedIn(email);
        return WebUtility.HtmlDecode(await browser.Page(path));
    }
}
