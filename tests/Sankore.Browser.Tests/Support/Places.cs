using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Identity;

namespace Sankore.Browser.Tests.Support;

/// <summary>A page as somebody sees it.</summary>
/// <param name="Name">For people who read a test's output.</param>
/// <param name="Email">Who; null: nobody in particular.</param>
/// <param name="Path">Where.</param>
/// <param name="Act">What is done there before it is looked at.</param>
public sealed record Place(string Name, string? Email, string Path, Func<IPage, Task>? Act = null);

/// <summary>Every page of the program, with something to show on each.</summary>
public sealed partial class Places : IAsyncLifetime
{
    private const string Newcomer = "newcomer@example.org";
    private const string Passkey = "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a";
    private const string Passphrase = "une phrase assez longue";

    private readonly Dictionary<(string? Email, string Language), Person> _people = [];
    private Dictionary<string, Place> _places = [];

    /// <summary>Where they are.</summary>
    public World World { get; } = new();

    // By its name, since browsers take passkeys at no other address.
    private Uri Address => new UriBuilder(World.Address) { Host = "localhost" }.Uri;

    /// <summary>The names of all places, for theories; a place without a name, or a name without a place, fails a test.</summary>
    public static string[] Names { get; } =
    [
        "login", "login-refused", "register", "register-sent", "forgot", "forgot-sent", "reset", "reset-refused", "setup",
        "setup-invalid",
        "home", "home-newcomer", "home-group-admin", "search", "search-nothing", "plan", "plan-newcomer", "module", "account",
        "account-refused", "account-two-step",
        "passkeys", "passkeys-remove", "passkeys-create",
        "error-403", "error-404",
        "admin", "modules", "modules-search", "modules-empty", "module-new", "module-edit", "module-delete", "module-refused",
        "categories", "category-new", "category-edit", "category-refused", "plans", "plan-of-operator", "plan-new", "plan-edit",
        "plan-preview", "plan-refused",
        "group-new", "group-refused", "group-of-operator", "group-sure", "group-of-admin", "group-none", "group-schools", "school-new",
        "school-edit",
        "staff", "staff-refused", "matrix", "matrix-open", "matrix-none",
        "assign", "assign-preview", "access", "access-why", "access-end", "group-log", "assignments", "import", "import-refused",
        "import-columns", "import-errors", "import-good",
        "groups", "groups-sorted", "group", "schools", "people", "person", "person-revoke", "api-keys", "api-keys-new", "audit",
        "audit-empty", "outbox", "outbox-mail", "live", "live-empty",
        "templates", "templates-empty",
        .. CampaignPlaces.Names,
    ];

    /// <summary>A browser at a place: the one in which this person was last, since a new one takes longer than the page.</summary>
    public async Task<Person> Visit(Chrome chrome, string name, Look look)
    {
        var place = _places[name];
        if (!_people.TryGetValue((place.Email, look.Language), out var person))
        {
            person = _people[(place.Email, look.Language)] = await chrome.Open(Address, null, look);
            await Axe.Enter(person.Context);
            if (place.Email is not null)
            {
                await person.SignIn(place.Email, place.Email == Newcomer ? Passphrase : PasswordRules.Demo);
            }
        }
        await person.Visit(place.Path);
        await (place.Act?.Invoke(person.Page) ?? Task.CompletedTask);
        if (place.Email is not null)
        {
            await person.IsLive();
        }
        return person;
    }

    public async ValueTask InitializeAsync()
    {
        await World.InitializeAsync();
        using var nobody = World.Nobody();
        await World.Register(Passphrase, email: Newcomer);
        await nobody.PostAsJsonAsync("/api/auth/forgotPassword", new { email = Cast.Teacher1 });
        await Furnish();
        var group = await World.Sql<Guid>("select id from tenancy.school_groups where code = 'g001'");
        var teacher = await World.IdOf(Cast.Teacher1);
        await Attempts(teacher);
        var (mail, invitation) = await Invitation();
        Place[] all =
        [
            .. ForEverybody(invitation), .. OfAccounts(), .. await OfTheCatalogue(), .. await OfGroups(group, teacher), .. Imports(group),
            .. OfTheOperator(group, teacher, mail), .. await Templates(), .. await CampaignPlaces.Furnish(World),
        ];
        _places = all.ToDictionary(p => p.Name);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var person in _people.Values)
        {
            await person.DisposeAsync();
        }
        await World.DisposeAsync();
    }

    private static Place[] ForEverybody(string invitation) =>
    [
        new("login", null, "/login"),
        new("login-refused", null, "/login", page => Fill(page, ("#email", "personne@example.org"), ("#password", "pas le bon"))),
        new("register", null, "/register"),
        new("register-sent", null, "/register", page => Fill(page, ("#email", "marie@example.org"))),
        new("forgot", null, "/forgot"),
        new("forgot-sent", null, "/forgot", page => Fill(page, ("#email", "personne@example.org"))),
        new("reset", null, "/reset?email=marie@example.org&code=bWFyaWU"),
        new("reset-refused", null, "/reset?email=marie@example.org&code=bWFyaWU", page => Fill(page, ("#password", Passphrase))),
        new("setup", null, invitation),
        new("setup-invalid", null, "/setup?token=perime"),
    ];

    private static Place[] OfAccounts() =>
    [
        new("home", Cast.HeadOnPremium, "/"),
        new("home-newcomer", Newcomer, "/"),
        new("home-group-admin", Cast.Admin1, "/"),
        new("search", Cast.Admin1, "/search?q=el"),
        new("search-nothing", Cast.HeadOnPremium, "/search?q=introuvable"),
        new("plan", Cast.HeadOnPremium, "/plan"),
        new("plan-newcomer", Newcomer, "/plan"),
        new("module", Cast.HeadOnPremium, "/m/gestion-classes"),
        new("account", Cast.HeadOnPremium, "/account"),
        new(
            "account-refused", Cast.HeadOnPremium, "/account",
            page => Fill(page, ("#password-password", "pas le bon mot"), ("#password", Passphrase))),
        new("account-two-step", Cast.Teacher1, "/account", BeginTwoSteps),
        new("passkeys", Cast.Teacher1, "/account/passkeys"),
        new("passkeys-remove", Cast.Teacher1, "/account/passkeys?remove=" + Passkey),
        new(
            "passkeys-create", Cast.Teacher1, "/account/passkeys",
            page => Fill(page, ("#proof-password", Sankore.Identity.PasswordRules.Demo))),
        new("error-403", Cast.HeadOnPremium, "/admin/modules"),
        new("error-404", Cast.HeadOnPremium, "/nulle-part"),
    ];

    private async Task<Place[]> OfTheCatalogue()
    {
        var module = await World.Sql<Guid>("select id from tenancy.modules where code = 'caisse-et-depenses'");
        var category = await World.Sql<Guid>("select id from tenancy.business_categories where slug = 'finances'");
        var plan = await World.Sql<Guid>("select id from tenancy.subscription_plans where slug = 'premium'");
        return
        [
            new("admin", Cast.Super, "/admin"),
            new("modules", Cast.Super, "/admin/modules"),
            new("modules-search", Cast.Super, "/admin/modules?q=gestion&state=active"),
            new("modules-empty", Cast.Super, "/admin/modules?q=introuvable"),
            new("module-new", Cast.Super, "/admin/modules/new"),
            new("module-edit", Cast.Super, $"/admin/modules/{module}?done=saved"),
            new("module-delete", Cast.Super, $"/admin/modules/{module}?confirm=delete"),
            new(
                "module-refused", Cast.Super, $"/admin/modules/{module}",
                page => Fill(page, ("#name", " "), ("#code", "Gestion des classes"), ("#priority", "beaucoup"),
                    ("#route", "pas un chemin"))),
            new("categories", Cast.Super, "/admin/categories"),
            new("category-new", Cast.Super, "/admin/categories/new"),
            new("category-edit", Cast.Super, $"/admin/categories/{category}"),
            new(
                "category-refused", Cast.Super, $"/admin/categories/{category}?confirm=delete",
                page => page.ClickAsync("dialog button.danger")),
            new("plans", Cast.Super, "/admin/plans"),
            new("plan-of-operator", Cast.Super, $"/admin/plans/{plan}"),
            new("plan-new", Cast.Super, "/admin/plans/new"),
            new("plan-edit", Cast.Super, $"/admin/plans/{plan}/edit"),
            new("plan-preview", Cast.Super, $"/admin/plans/{plan}/edit", page => Preview(page)),
            new("plan-refused", Cast.Super, $"/admin/plans/{plan}/edit", page => Fill(page, ("#name", " "), ("#monthlyPrice", "cher"))),
        ];
    }

    private async Task<Place[]> OfGroups(Guid group, Guid teacher)
    {
        var school = await World.Sql<Guid>("select id from tenancy.schools where code = 's0001'");
        var membership = await World.Sql<Guid>("select id from tenancy.memberships where user_id = @teacher", new { teacher });
        return
        [
            new("group-new", Cast.Super, "/admin/groups/new"),
            new("group-refused", Cast.Super, $"/admin/groups/{group}/edit", page => Fill(page, ("#name", " "), ("#country", "C1"))),
            new("group-of-operator", Cast.Super, $"/groups/{group}"),
            new("group-sure", Cast.Super, $"/groups/{group}", page => Choose(page, "#status", "suspended")),
            new("group-of-admin", Cast.Admin1, "/group"),
            new("group-none", Newcomer, "/group"),
            new("group-schools", Cast.Admin1, $"/groups/{group}/schools"),
            new("school-new", Cast.Admin1, $"/groups/{group}/schools/new"),
            new("school-edit", Cast.Admin1, $"/schools/{school}"),
            new("staff", Cast.Admin1, $"/groups/{group}/staff"),
            new(
                "staff-refused", Cast.Admin1, $"/groups/{group}/staff",
                page => Fill(page, ("#name", "Marie"), ("#email", "marie@example.org"))),
            new("matrix", Cast.Admin1, $"/groups/{group}/matrix"),
            new("matrix-open", Cast.Admin1, $"/groups/{group}/matrix?open=all"),
            new("matrix-none", Cast.Admin1, $"/groups/{group}/matrix?q=introuvable"),
            new("assign", Cast.Admin1, $"/groups/{group}/assign?user={teacher}"),
            new("assign-preview", Cast.Admin1, $"/groups/{group}/assign?user={teacher}", PreviewAssignment),
            new("access", Cast.Admin1, $"/people/{teacher}?group={group}"),
            new("access-why", Cast.Admin1, $"/people/{teacher}?group={group}&module=caisse-et-depenses"),
            new("access-end", Cast.Admin1, $"/people/{teacher}?group={group}&confirm=end-{membership}"),
            new("group-log", Cast.Admin1, $"/groups/{group}/log"),
            new("assignments", Cast.Super, "/admin/assignments"),
        ];
    }

    private static Place[] Imports(Guid group) =>
    [
        new("import", Cast.Admin1, $"/groups/{group}/import/staff"),
        new("import-refused", Cast.Admin1, $"/groups/{group}/import/staff", page => Look(page, "\0", refused: true)),
        new(
            "import-columns", Cast.Admin1, $"/groups/{group}/import/staff",
            page => Look(page, "Nom;Adresse électronique;Poste\nMarie;marie@example.org;Enseignant")),
        new(
            "import-errors", Cast.Admin1, $"/groups/{group}/import/staff",
            page => Upload(page, "Nom;Courriel;Rôle;École\nMarie;marie@example.org;Pilote;s0001")),
        new("import-good", Cast.Admin1, $"/groups/{group}/import/schools", page => Upload(page, "Nom;Niveau\nLycée du Port;Lycée")),
    ];

    private Place[] OfTheOperator(Guid group, Guid teacher, string mail) =>
    [
        new("groups", Cast.Super, "/admin/groups"),
        new("groups-sorted", Cast.Super, "/admin/groups?sort=-city"),
        new("group", Cast.Super, $"/admin/groups/{group}"),
        new("schools", Cast.Super, "/admin/schools"),
        new("people", Cast.Super, "/admin/people"),
        new("person", Cast.Super, $"/admin/people/{teacher}"),
        new("person-revoke", Cast.Super, $"/admin/people/{teacher}?confirm=revoke-member"),
        new("api-keys", Cast.Super, "/admin/api-keys"),
        new("api-keys-new", Cast.Super, "/admin/api-keys", NewKey),
        new("audit", Cast.Super, "/admin/audit"),
        new("audit-empty", Cast.Super, "/admin/audit?from=2001-01-01&to=2001-01-02"),
        new("outbox", Cast.Super, "/admin/outbox"),
        new("outbox-mail", Cast.Super, $"/admin/outbox/{mail}"),
        new("live", Cast.Super, "/admin/live", page => Nodes(page, 2)),
        new("live-empty", Cast.Super, "/admin/live", page => Nodes(page, 0)),
    ];

    private async Task<Place[]> Templates()
    {
        using var head = await World.As(Cast.HeadOnPremium);
        (await head.PostAsJsonAsync(
            "/api/campaigns/templates",
            new { name = "Rappel", subject = "Rappel pour {{contact.name}}", content = "<p>Bonjour {{contact.name}}</p>" }))
            .EnsureSuccessStatusCode();
        return
        [
            new("templates", Cast.HeadOnPremium, "/campaigns/templates"),
            new("templates-empty", Cast.Admin1, "/campaigns/templates"),
        ];
    }

    /// <summary>Something in the audit log, an API key, an invitation on its way.</summary>
    private async Task Furnish()
    {
        using var super = await World.As(Cast.Super);
        var module = (await super.GetFromJsonAsync<JsonElement>("/api/modules?q=paie-du-personnel")).GetProperty("items")[0];
        var body = module.EnumerateObject().ToDictionary(p => p.Name, p => (object?)p.Value);
        (body["description"], body["icon"]) = ("Bulletins, avances, états, déclarations", "coins");
        (await super.PutAsJsonAsync($"/api/modules/{module.GetProperty("id")}", body)).EnsureSuccessStatusCode();
        await World.Execute(
            "insert into rbac.api_keys (id, name, key_hash, key_prefix, permissions)"
            + " values (gen_random_uuid(), 'Comptabilité', '\\x00', 'sk_0a1b2c', array['tenancy.read'])");
        await World.Execute("""
            insert into auth.passkeys (
              id, user_id, name, credential_id, public_key, sign_count, transports, is_backup_eligible, is_backed_up, used_at)
            values (@id::uuid, @teacher, 'Chrome · Android', '\x01', '\x', 0, '{}', true, true, now())
            """, new { id = Passkey, teacher = await World.IdOf(Cast.Teacher1) });
        await using var scope = World.App.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<Rbac.Invitations>()
            .Invite(Platform.Security.Caller.Service, "invitee@example.org", "admin", CancellationToken.None);
    }

    /// <summary>Lines in the assignment log: one done, one refused.</summary>
    private async Task Attempts(Guid teacher)
    {
        using var admin = await World.As(Cast.Admin1);
        var library = await World.Sql<Guid>("select id from tenancy.modules where code = 'bibliotheque'");
        var closed = await World.Sql<Guid>("select id from tenancy.modules where code = 'transport'");
        (await admin.PutAsJsonAsync($"/api/users/{teacher}/modules/{library}", new { canWrite = true })).EnsureSuccessStatusCode();
        (await admin.PutAsJsonAsync($"/api/users/{teacher}/modules/{closed}", new { })).IsSuccessStatusCode.ShouldBeFalse();
    }

    private async Task Nodes(IPage page, int count)
    {
        await World.Execute("delete from live.nodes");
        await World.Execute("""
            select live.report(gen_random_uuid(), 'ecole-' || n || '.sankore.example · 10.0.0.' || n || ':5080', '1.0', interval '9 days',
              interval '1 hour',
              '{"streams": 12500, "streamsMax": 12800, "events": 48000.5, "eventsMax": 61000,
                  "fanOut": 12.4, "fanOutMax": 88, "lag": 0.4, "lagMax": 3, "kilobytes": 9100,
                  "coalesced": 123456789, "dropped": 3, "resets": 250, "refused": 0}',
              '{"streamsPath": "M0 40L118 8H236", "eventsPath": "M0 40L118 0L236 9", "fanOutPath": "M0 40L100 0L236 34",
                  "lagPath": "M0 40L200 28L204 10L236 35", "seconds": 118,
                  "streamsTop": 15000, "eventsTop": 80000, "fanOutTop": 100, "lagTop": 3}')
            from generate_series(1, @count) n
            """, new { count });
        await page.ReloadAsync();
        await Expect(page.Locator(".node")).ToHaveCountAsync(count);
    }

    private static async Task Preview(IPage page)
    {
        await page.Locator(".fold:not([open]) summary").First.ClickAsync();
        await page.Locator("input[name=category]:checked:visible").First.UncheckAsync();
        await page.ClickAsync("form .staying button.primary");
        await Expect(page.Locator("#preview")).ToBeVisibleAsync();
    }

    private static async Task PreviewAssignment(IPage page)
    {
        await page.Locator("input[name=category]").First.CheckAsync();
        await page.Locator("input[name=right]").First.CheckAsync();
        await page.ClickAsync("form .foot button.primary");
        await Expect(page.Locator("#preview")).ToBeVisibleAsync();
    }

    private static async Task Look(IPage page, string csv, bool refused = false)
    {
        await page.SetInputFilesAsync(
            "#file", new FilePayload { Name = "fichier.csv", MimeType = "text/csv", Buffer = System.Text.Encoding.UTF8.GetBytes(csv) });
        await page.ClickAsync("main form button.primary");
        await Expect(page.Locator(refused ? ".flash.bad" : "main table")).ToBeVisibleAsync();
    }

    private static async Task Upload(IPage page, string csv)
    {
        await Look(page, csv);
        await page.ClickAsync("main form button.primary");
        await Expect(page.Locator("main .badge").First).ToBeVisibleAsync();
    }

    private async Task<(string Mail, string Path)> Invitation()
    {
        OutboxFile? mail = null;
        await Waiting.Until(
            () => (mail = World.Mails().FirstOrDefault(m => SetUpLink().IsMatch(m.Text))) is not null, "the invitation is in the outbox");
        return (Path.GetFileNameWithoutExtension(mail!.Path), SetUpLink().Match(mail.Text).Value);
    }

    internal static async Task Fill(IPage page, params (string Field, string Value)[] fields)
    {
        foreach (var (field, value) in fields)
        {
            await page.FillAsync(field, value);
        }
        await page.EvaluateAsync("document.documentElement.dataset.left = ''");
        await page.Locator("form", new PageLocatorOptions { Has = page.Locator(fields[0].Field) }).Locator("button.primary").ClickAsync();
        await Expect(page.Locator("html:not([data-left])")).ToHaveCountAsync(1);
        await page.EvaluateAsync("new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done))");
    }

    private static async Task Choose(IPage page, string field, string value)
    {
        await page.SelectOptionAsync(field, value);
        await page.Locator("form", new PageLocatorOptions { Has = page.Locator(field) }).Locator("button.primary").ClickAsync();
        await Expect(page.Locator("#preview")).ToBeVisibleAsync();
    }

    private static async Task BeginTwoSteps(IPage page)
    {
        if (!await page.Locator("#twoFactorCode").IsVisibleAsync())
        {
            await page.Locator("form button:has(svg use[href$='shield'])").ClickAsync();
        }
        await Expect(page.Locator("#twoFactorCode")).ToBeVisibleAsync();
    }

    private static async Task NewKey(IPage page)
    {
        await page.CheckAsync("input[value='tenancy.read']");
        await Fill(page, ("#name", "Service de notes"));
        await Expect(page.Locator(".flash .code")).ToBeVisibleAsync();
    }

    [GeneratedRegex(@"/setup\?token=\S+")]
    private static partial Regex SetUpLink();
}
