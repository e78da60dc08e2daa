using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>Why somebody has a module, or not: link by link, in words, to whom it concerns.</summary>
public sealed class WhyTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Whom_it_concerns_is_told_and_nobody_else()
    {
        var user = await world.IdOf(Cast.Teacher1);
        var told = new List<JsonElement>();
        foreach (var email in new[] { Cast.Teacher1, Cast.Admin1, Cast.Super })
        {
            using var client = await world.As(email);
            told.Add(await client.Why(user, "campagnes"));
            await client.Ask(HttpMethod.Get, $"/api/users/{user}/modules/unknown/why").ShouldRefuse(404, "NOT_FOUND");
            await client.Ask(HttpMethod.Get, $"/api/users/{Guid.NewGuid()}/modules/campagnes/why").ShouldRefuse(404, "NOT_FOUND");
        }
        told.ShouldAllBe(t => JsonElement.DeepEquals(t, told[0]));
        told[0].Text("name").ShouldBe("Campagnes");
        told[0].GetProperty("userId").GetGuid().ShouldBe(user);
        foreach (var email in new[] { Cast.Admin2, Cast.HeadOnPremium, "teacher.s0001.2@sankore.test" })
        {
            using var client = await world.As(email);
            await client.Ask(HttpMethod.Get, $"/api/users/{user}/modules/campagnes/why").ShouldRefuse(404, "NOT_FOUND");
            await client.Ask(HttpMethod.Get, $"/api/users/{user}/modules").ShouldRefuse(404, "NOT_FOUND");
        }
    }

    [Fact]
    public async Task It_is_granted_if_and_only_if_the_menu_has_it()
    {
        var codes = await world.Rows<string>("select code from tenancy.modules");
        using var operators = await world.As(Cast.Super);
        string[] emails =
        [
            Cast.Admin1, Cast.HeadOnPremium, Cast.HeadOnEssentiel, Cast.HeadOnGratuit, "head.s0004@sankore.test",
            "bursar.s0001.1@sankore.test", "supervisor.s0004.1@sankore.test", Cast.Super,
        ];
        foreach (var email in emails)
        {
            var user = await world.IdOf(email);
            var menu = await world.MenuOf(email);
            foreach (var code in codes)
            {
                var why = await operators.Why(user, code);
                why.GetProperty("granted").GetBoolean().ShouldBe(menu.ContainsKey(code), $"{code} of {email}");
                string.Concat(why.GetProperty("permissions").EnumerateArray().Select(p => p.GetString()![..1]))
                    .ShouldBe(menu.GetValueOrDefault(code, ""), $"{code} of {email}");
                foreach (var chain in why.GetProperty("chains").EnumerateArray())
                {
                    chain.GetProperty("granted").GetBoolean()
                        .ShouldBe(
                        chain.GetProperty("links").EnumerateArray().All(l => l.GetProperty("holds").GetBoolean()), $"{code} of {email}");
                }
            }
        }
    }

    [Fact]
    public async Task Each_link_that_fails_says_so()
    {
        await Says(
            Cast.HeadOnEssentiel, "campagnes", "included", "le plan Essentiel n’inclut pas le module «\u00a0Campagnes\u00a0»",
            "the plan Essential does not include the module “Campaigns”");
        await Says(
            "head.s0004@sankore.test", "transport", "module_active", "le module «\u00a0Transport\u00a0», ou sa catégorie, est désactivé",
            "the module “Transport”, or its category, is deactivated");
        await Says(
            "head.s0004@sankore.test", "palmares", "module_built", "le module «\u00a0Palmarès\u00a0» n’est pas encore construit",
            "the module “Honours” is not built yet");
        await Says(
            "teacher.s0002.1@sankore.test", "gestion-equipe", "assigned", "le module «\u00a0Gestion d’équipe\u00a0» ne lui est pas assigné",
            "the module “Team management” is not assigned to them");
        await Says(
            Cast.Super, "campagnes", "place", "cette personne n’a aucune fonction en cours dans un groupe",
            "this person has no position in a group at present");

        using var admin = await world.As(Cast.Admin2);
        var user = await world.IdOf("teacher.s0007.1@sankore.test");
        await admin.Assign(user, await world.ModuleId("gestion-equipe")).Json();
        await admin.Revoke(user, await world.ModuleId("gestion-equipe"));
        await Says(
            "teacher.s0007.1@sankore.test", "gestion-equipe", "assigned",
            "l’assignation du module «\u00a0Gestion d’équipe\u00a0» a été révoquée",
            "the assignment of the module “Team management” was revoked");
        var other = await world.IdOf("teacher.s0012.1@sankore.test");
        await admin.Assign(other, await world.ModuleId("gestion-equipe")).Json();
        await world.Execute(
            "update tenancy.user_module_permissions set expires_at = '2026-01-31 11:00+00' where user_id = @other"
            + " and module_id is not null", new { other });
        await Says("teacher.s0012.1@sankore.test", "gestion-equipe", "assigned", "31 janv. 2026 à 12:00", "31 Jan 2026, 12:00");
    }

    [Theory]
    [InlineData("suspended", "Suspendu", "Suspended")]
    [InlineData("cancelled", "Résilié", "Cancelled")]
    [InlineData("expired", "Expiré", "Expired")]
    public async Task A_subscription_that_is_not_live_says_its_state(string status, string french, string english)
    {
        await world.Subscribe("g005", status: status);
        var group = await world.Sql<string>("select name from tenancy.school_groups where code = 'g005'");
        await Says(
            "head.s0005@sankore.test", "campagnes", "subscription_live",
            $"«\u00a0{group}\u00a0» n’a pas d’abonnement en cours (dernier état\u00a0: {french})",
            $"“{group}” has no live subscription (last state: {english})");
        await Says("admin.g005@sankore.test", "campagnes", "subscription_live", french, english);
    }

    [Fact]
    public async Task A_school_that_is_closed_has_no_modules()
    {
        const string Email = "head.s0056@sankore.test";
        var school = await world.Sql<string>("update tenancy.schools set status = 'inactive' where code = 's0056' returning name");
        await Says(
            Email, "campagnes", "on_in_school", $"«\u00a0{school}\u00a0» n’a pas le module «\u00a0Campagnes\u00a0»",
            $"“{school}” does not have the module “Campaigns”");
    }

    [Fact]
    public async Task Links_that_hold_are_said_too()
    {
        using var admin = await world.As(Cast.Admin1);
        var links = (await admin.Why(await world.IdOf(Cast.HeadOnPremium), "campagnes", "fr"))
            .GetProperty("chains")[0].GetProperty("links");
        links.Texts("code").ShouldBe(["module_active", "module_built", "subscription_live", "included", "on_in_school", "assigned"]);
        links.Texts("text")[3].ShouldBe("le plan Premium inclut le module «\u00a0Campagnes\u00a0»");
        var own = (await admin.Why(await world.IdOf(Cast.Admin1), "campagnes", "en")).GetProperty("chains").EnumerateArray()
            .ShouldHaveSingleItem();
        own.GetProperty("school").ValueKind.ShouldBe(JsonValueKind.Null);
        own.GetProperty("links").Texts("text")[^1].ShouldStartWith("the person administers");
    }

    private async Task Says(string email, string code, string link, string french, string english)
    {
        using var operators = await world.As(Cast.Super);
        var user = await world.IdOf(email);
        foreach (var (language, words) in new[] { ("fr", french), ("en", english) })
        {
            var why = await operators.Why(user, code, language);
            why.GetProperty("granted").GetBoolean().ShouldBeFalse();
            why.GetProperty("permissions").GetArrayLength().ShouldBe(0);
            var failing = why.GetProperty("chains")[0].GetProperty("links").EnumerateArray().Single(l => l.Text("code") == link);
            failing.GetProperty("holds").GetBoolean().ShouldBeFalse();
            failing.Text("text").ShouldContain(words);
        }
    }
}
