namespace Sankore.Browser.Tests.Live;

/// <summary>Whatever changes, in whatever order: a page that was open all the time shows what a reload would show.</summary>
public sealed class SameAsReloadTests(World world, Chrome chrome) : IClassFixture<World>
{
    private const int Changes = 40;

    private static readonly string[] Names =
        ["Élan", "Atelier", "atelier", "Ça et là", "Zoo", "École à la maison", "Œuvres", "L’heure", "10 mots", "9 mots"];
    private static readonly string[] Statements =
    [
        "update tenancy.modules set name = @name where id = @module",
        "update tenancy.modules set description = @name, icon = 'bell' where id = @module",
        "update tenancy.modules set priority = @number where id = @module",
        "update tenancy.modules set status = case status when 'active' then 'inactive' else 'active' end where id = @module",
        "update tenancy.modules set is_built = not is_built where id = @module",
        "update tenancy.modules set category_id = @category where id = @module",
        "insert into tenancy.modules (id, code, name, category_id, priority)"
        + " values (gen_random_uuid(), 'm' || @step, @name, @category, @number)",
        "delete from tenancy.modules where id = @module",
        "update tenancy.business_categories set name = @name where id = @category",
        "update tenancy.business_categories set color = 'gold' where id = @category",
        "update tenancy.business_categories set sort_order = @number where id = @category",
        "update tenancy.business_categories set status = case status when 'active' then 'inactive' else 'active' end where id = @category",
        "insert into tenancy.plan_modules (id, plan_id, module_id, included) values (gen_random_uuid(), @plan, @module, @number > 30)"
        + " on conflict (plan_id, module_id) do update set included = excluded.included",
    ];

    // What a page shows of the catalogue, row by row, in order; of the page itself, or of what the server would answer now.
    private const string Shown = """
        async fresh => {
          const fetched = async () => (await fetch(location.href, { cache: 'no-store' })).text();
          const page = fresh ? new DOMParser().parseFromString(await fetched(), 'text/html') : document;
          const rows = [...page.querySelectorAll('.side [data-row], main [data-row], main [data-count]')];
          return rows.filter(row => !row.closest('[hidden]')).map(row => [row, ...row.querySelectorAll('[data-field], [data-attr], use')]
            .filter(part => part === row || part.closest('[data-row]') === row && !('list' in part.dataset))
            .map(part => [
              part.dataset.row, part.dataset.color, part.dataset.state,
              part.tagName === 'A' ? part.getAttribute('href') : part.getAttribute('href')?.split('#')[1],
              'field' in part.dataset || 'count' in part.dataset ? part.textContent.trim() : ''].filter(Boolean).join(' '))
            .join(' | '));
        }
        """;

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task An_open_page_shows_what_a_reload_would_show(int seed)
    {
        var plan = await world.Sql<Guid>("select id from tenancy.subscription_plans where slug = 'premium'");
        await using var head = await chrome.Open(world.Address, Cast.HeadOnPremium);
        await using var super = await chrome.Open(world.Address, Cast.Super);
        IPage[] pages = [
            await head.Tab("/"), await head.Tab("/plan"), await super.Tab("/admin/modules"), await super.Tab("/admin/modules?state=active"),
            await super.Tab("/admin/categories"), await super.Tab($"/admin/plans/{plan}")];

        await Change(new Random(seed), seed, plan);
        await world.Execute("update tenancy.business_categories set status = 'active' where slug = 'scolarite'");
        await world.Execute(
            "update tenancy.modules set category_id = (select id from tenancy.business_categories"
            + " where slug = 'scolarite'), status = 'active', is_built = true, name = @name where code = 'gestion-inscriptions'",
            new { name = $"Fin {seed}" });

        foreach (var page in pages)
        {
            await page.WaitForFunctionAsync("name => window.__events.some(e => e.data.row?.name === name)", $"Fin {seed}");
            await page.EvaluateAsync("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
            await Expect(page.Locator(".leaving")).ToHaveCountAsync(0);
            var wanted = await page.EvaluateAsync<string[]>(Shown, true);
            var shown = await page.EvaluateAsync<string[]>(Shown, false);
            wanted.Length.ShouldBeGreaterThan(5);
            if (Differences(shown, wanted).ToArray() is { Length: > 0 } differences)
            {
                Assert.Fail($"{page.Url} shows\n{string.Join("\n", differences)}");
            }
        }
    }

    private static IEnumerable<string> Differences(string[] shown, string[] wanted) =>
        Enumerable.Range(0, Math.Max(shown.Length, wanted.Length))
            .Select(i => (Shown: shown.ElementAtOrDefault(i), Wanted: wanted.ElementAtOrDefault(i)))
            .Where(line => line.Shown != line.Wanted).Select(line => $"{line.Shown}\n    instead of {line.Wanted}").Take(8);

    private async Task Change(Random random, int seed, Guid plan)
    {
        for (var step = 0; step < Changes; step++)
        {
            var pick = random.Next();
            await world.Execute(Statements[random.Next(Statements.Length)], new
            {
                plan,
                name = Names[random.Next(Names.Length)],
                number = random.Next(0, 6) * 10,
                step = $"{seed}-{step}",
                // By code and slug: ids differ from run to run.
                module = await world.Sql<Guid>(
                    "select id from tenancy.modules where code <> 'gestion-inscriptions'"
                    + " order by code offset @pick % (select count(*) - 1 from tenancy.modules) limit 1", new { pick }),
                category = await world.Sql<Guid>(
                    "select id from tenancy.business_categories order by slug offset @pick % (select count(*)"
                    + " from tenancy.business_categories) limit 1", new { pick }),
            });
        }
    }
}
