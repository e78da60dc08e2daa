using Sankore.Tests.Campaigns;

namespace Sankore.Tests.Fuzz;

/// <summary>Ids by what they are of.</summary>
internal sealed class Ids
{
    // What parameters and members are called, and what their ids are of.
    private static readonly Dictionary<string, string> Nouns = new(StringComparer.OrdinalIgnoreCase)
    {
        ["by"] = "users",
        ["file"] = "attachments",
        ["staff"] = "users",
        ["category"] = "categories",
    };

    private readonly Dictionary<string, List<string>> _ids = [];

    /// <summary>All of them.</summary>
    public IEnumerable<string> All => _ids.Values.SelectMany(ids => ids);

    /// <summary>Keeps the id of something, and gives it.</summary>
    public Guid Add(string noun, Guid id)
    {
        _ids.TryAdd(noun, []);
        _ids[noun].Add($"{id}");
        return id;
    }

    /// <summary>An id of a noun, however a parameter or a member calls it; null: there is none.</summary>
    public string? Of(string name, Random random)
    {
        var one = name.TrimEnd('s');
        var noun = one.EndsWith("Id", StringComparison.Ordinal) ? one[..^2] : name;
        noun = Nouns.GetValueOrDefault(noun, noun).ToLowerInvariant();
        return (_ids.GetValueOrDefault(noun) ?? _ids.GetValueOrDefault(noun + "s")) is { } ids ? random.Pick(ids) : null;
    }
}

/// <summary>
/// A group of schools whose people have one of everything that the API knows, on a plan of its own. Names have a mark; what is its
/// administrator's alone has another.
/// </summary>
/// <param name="Mark">In the names of what the group has.</param>
/// <param name="Secret">In the names of its administrator's contacts and campaigns.</param>
/// <param name="Admin">The address of an administrator.</param>
/// <param name="Teacher">The address of a teacher who has the module of campaigns.</param>
internal sealed record Owner(string Mark, string Secret, string Admin, string Teacher, Ids Ids)
{
    // So that there is one left when others were sent.
    private const int Drafts = 6;

    private const string Content = "<p>Bonjour {{contact.name}} <a href=\"https://exemple.cg\">ici</a></p>";

    /// <summary>Makes one.</summary>
    public static async Task<Owner> Make(World world, HttpClient super, string name)
    {
        var (mark, secret, ids) = ($"Xq7{name}", $"Zv9{name}", new Ids());
        var category = ids.Add("categories", await super.New("/api/categories", new { name = mark }));
        var module = ids.Add(
            "modules", await super.New("/api/modules", new { name = mark, categoryId = category, route = "https://exemple.cg/" }));
        Guid[] categoryIds = [category, await world.CategoryId("communication")];
        var plan = ids.Add("plans", await super.New("/api/plans", new { name = mark, categoryIds, modules = Array.Empty<object>() }));
        var group = ids.Add("groups", await super.New("/api/groups", new { name = mark, city = mark, contactPhone = mark }));
        ids.Add("subscriptions", await super.New($"/api/groups/{group}/subscriptions", new { planId = plan }));
        var school = ids.Add("schools", await super.New($"/api/groups/{group}/schools", new { name = mark, city = mark }));
        var key = await super.Ask(HttpMethod.Post, "/api/api-keys", new { name = mark, permissions = new[] { "audit.read" } }).Json();
        ids.Add("api-keys", key.GetProperty("apiKey").Id());
        var (admin, teacher) = (await world.NewPerson(group, null, "group_admin"), await world.NewPerson(group, school));
        using var client = await world.As(admin);
        await People(world, client, ids, mark, group, school, module);
        await client.Ask(HttpMethod.Put, $"/api/users/{await world.IdOf(teacher)}/modules/{await world.ModuleId("campagnes")}",
            new { canWrite = true, canDelete = true, canExport = true }).Json();
        foreach (var (start, status) in ((bool, int)[])[(true, 202), (false, 201)])
        {
            ids.Add("imports", await client.New(
                $"/api/imports/schools?group={group}&name={mark}.csv&start={start}", new StringContent($"Nom\n{mark} Deux\n"), status));
        }
        await Mail(client, ids, secret);
        return new Owner(mark, secret, admin, teacher, ids);
    }

    /// <summary>Somebody who works in the school, and somebody who is invited.</summary>
    private static async Task People(World world, HttpClient client, Ids ids, string mark, Guid group, Guid school, Guid module)
    {
        var colleague = await world.IdOf(await world.NewPerson(group, school));
        await world.Execute("update public.profiles set display_name = @mark || ' Un' where id = @colleague", new { mark, colleague });
        await client.Hire(group, $"{mark}@exemple.cg", school, name: mark).Json();
        foreach (var place in (await client.StaffOf(group)).Where(p => p.Text("name").StartsWith(mark, StringComparison.Ordinal)))
        {
            ids.Add("users", place.GetProperty("userId").GetGuid());
            ids.Add("memberships", place.GetProperty("membershipId").GetGuid());
        }
        await client.Ask(HttpMethod.Put, $"/api/users/{colleague}/modules/{module}", new { canWrite = true }).Json();
    }

    /// <summary>Contacts, what is written to them, and a campaign that was sent.</summary>
    private static async Task Mail(HttpClient client, Ids ids, string secret)
    {
        string[] tags = [secret];
        foreach (var (index, name) in ((string[])[$"{secret} Un", $"{secret} Deux", $"{secret} Trois"]).Index())
        {
            var contact = new { email = $"{secret}.{index}@exemple.cg", name, organization = name, tags };
            ids.Add("contacts", await client.New("/api/campaigns/contacts", contact));
        }
        foreach (var organization in (await client.Ask("/api/campaigns/organizations")).Items)
        {
            ids.Add("organizations", organization.Id());
        }
        var segment = ids.Add("segments", await client.New("/api/campaigns/segments", new { name = secret, filter = new { tags } }));
        var suppressed = new { email = $"{secret}.sans@exemple.cg", detail = secret };
        ids.Add("suppressions", await client.New("/api/campaigns/suppressions", suppressed));
        var template = new { name = secret, subject = secret, content = Content };
        var templateId = ids.Add("templates", await client.New("/api/campaigns/templates", template));
        for (var drafts = 0; drafts < Drafts; drafts++)
        {
            var campaign = new { name = secret, subject = secret, content = Content, templateId };
            var draft = ids.Add("campaigns", await client.New("/api/campaigns", campaign));
            ids.Add("attachments", await client.New($"/api/campaigns/{draft}/attachments", File(secret)));
        }
        ids.Add("imports", await client.New("/api/campaigns/imports", File(secret), 202));
        var sent = await client.Draft($"{secret} envoyée", segment, Content, secret);
        ids.Add("campaigns", sent.Id());
        (await client.Act(sent, "send")).EnsureSuccessStatusCode();
        await client.Until(sent, "sent");
        ids.Add("outbox", (await client.Ask("/api/campaigns/outbox")).Items[0].Id());
    }

    private static MultipartFormDataContent File(string word) =>
        new() { { new StringContent($"Nom;E-mail\n{word};{word}.3@exemple.cg\n"), "file", $"{word}.csv" } };
}

/// <summary>Things that are made in one line.</summary>
internal static class Making
{
    /// <summary>Makes something; its id.</summary>
    public static async Task<Guid> New(this HttpClient client, string path, object body, int status = 201) =>
        (await client.Ask(HttpMethod.Post, path, body).Json(status)).Id();
}
