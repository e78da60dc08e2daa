using System.Net;

namespace Sankore.Tests.Tenancy;

/// <summary>Logos of groups and schools, and photos of people: who gives them, who sees them.</summary>
public sealed class LogoTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task A_schools_people_see_its_logo_and_without_one_the_groups()
    {
        using var admin = await world.As(Cast.Admin1);
        using var head = await world.As(Cast.HeadOnPremium);
        var (group, school) = await Place();
        await admin.Ask(HttpMethod.Put, $"/api/groups/{group}/logo", PictureFiles.Form(PictureFiles.Of(90, 30))).Json(204);
        await admin.Ask(HttpMethod.Delete, $"/api/schools/{school}/logo").Json(204);
        var ofGroup = await Logo(head);
        await admin.Ask(HttpMethod.Put, $"/api/schools/{school}/logo", PictureFiles.Form(PictureFiles.Of(60, 60))).Json(204);
        var ofSchool = await Logo(head);
        ofSchool.ShouldNotBe(ofGroup);

        await admin.Ask(HttpMethod.Delete, $"/api/schools/{school}/logo").Json(204);
        (await Logo(head)).ShouldBe(ofGroup);
        // Messages that were sent with it show it on.
        using var nobody = world.Nobody();
        (await nobody.GetAsync(new Uri(ofSchool!, UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode
            .ShouldBe(HttpStatusCode.OK);
        await admin.Ask(HttpMethod.Delete, $"/api/groups/{group}/logo").Json(204);
        (await Logo(head)).ShouldBeNull();
    }

    [Fact]
    public async Task Only_the_groups_administrators_and_the_operator_give_a_logo()
    {
        var (group, school) = await Place();
        foreach (var (email, status, code) in new[] { (Cast.Admin2, 404, "NOT_FOUND"), (Cast.HeadOnPremium, 403, "FORBIDDEN") })
        {
            using var client = await world.As(email);
            await client.Ask(HttpMethod.Put, $"/api/groups/{group}/logo", Form()).ShouldRefuse(status, code);
            await client.Ask(HttpMethod.Put, $"/api/schools/{school}/logo", Form()).ShouldRefuse(status, code);
            await client.Ask(HttpMethod.Delete, $"/api/groups/{group}/logo").ShouldRefuse(status, code);
        }
        using var super = await world.As(Cast.Super);
        await super.Ask(HttpMethod.Put, $"/api/groups/{group}/logo", Form()).Json(204);
        await super.Ask(HttpMethod.Put, $"/api/schools/{school}/logo", Form()).Json(204);
        foreach (var email in new[] { Cast.Admin2, Cast.HeadOnPremium })
        {
            await Should.ThrowAsync<Npgsql.PostgresException>(async () => await world.AsRole<int>(
                "authenticated", await world.IdOf(email),
                "select 1 from tenancy.set_logo(@group, null, null, null, null, null, null, null, null, null)", new { group }));
            await Should.ThrowAsync<Npgsql.PostgresException>(async () => await world.AsRole<int>(
                "authenticated", await world.IdOf(email), "update tenancy.schools set logo_id = null where id = @school", new { school }));
        }

        static MultipartFormDataContent Form() => PictureFiles.Form(PictureFiles.Of(50, 50));
    }

    [Fact]
    public async Task A_photo_is_seen_beside_the_name_and_by_nobody_outside()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        using var nobody = world.Nobody();
        await head.Ask(HttpMethod.Put, "/api/auth/photo", PictureFiles.Form(PictureFiles.Photo(300, 500, 6))).Json(204);
        var first = await Photo();
        using var own = await head.GetAsync(new Uri(first!, UriKind.Relative), TestContext.Current.CancellationToken);
        own.StatusCode.ShouldBe(HttpStatusCode.OK);
        own.Headers.CacheControl!.Private.ShouldBeTrue();
        (await nobody.Ask(HttpMethod.Get, first!)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        // Nor by who is signed in elsewhere: whoever does not see the person does not see the face.
        foreach (var (email, status) in new[] { (Cast.Admin1, 200), (Cast.Admin2, 404), (Cast.HeadOnEssentiel, 404) })
        {
            using var other = await world.As(email);
            ((int)(await other.Ask(HttpMethod.Get, first!)).StatusCode).ShouldBe(status, email);
        }
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.HeadOnPremium, Sankore.Identity.PasswordRules.Demo);
        (await browser.Page("/account")).ShouldContain($"<img src=\"{first}/small\"");
        using var admin = new Browser(world.Address);
        await admin.SignIn(Cast.Admin1, Sankore.Identity.PasswordRules.Demo);
        var (group, _) = await Place();
        (await admin.Page($"/groups/{group}/staff?q=head.s0001")).ShouldContain($"<img src=\"{first}/small\"");

        await head.Ask(HttpMethod.Put, "/api/auth/photo", PictureFiles.Form(PictureFiles.Of(200, 200))).Json(204);
        (await Photo()).ShouldNotBe(first);
        // What was replaced is gone: it was a face.
        (await head.Ask(HttpMethod.Get, first!)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await head.Ask(HttpMethod.Delete, "/api/auth/photo").Json(204);
        (await Photo()).ShouldBeNull();
        (await world.Sql<long>(
            "select count(*) from util.pictures where kind = 'photo' and owner_id = (select id from auth.users where email = @email)",
            new { email = Cast.HeadOnPremium })).ShouldBe(0);

        Task<string?> Photo() => world.Sql<string?>(
            "select avatar_url from public.profiles where email = @email", new { email = Cast.HeadOnPremium });
    }

    [Theory, InlineData("/account"), InlineData("school"), InlineData("group")]
    public async Task A_page_takes_some_megabytes_and_says_what_is_no_picture(string path)
    {
        var (group, school) = await Place();
        path = path switch { "school" => $"/schools/{school}", "group" => $"/groups/{group}", _ => path };
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.Admin1, Sankore.Identity.PasswordRules.Demo);
        var (action, fields) = Browser.Form(await browser.Page(path), "name=\"file\"");
        // What follows the picture in a file is not read.
        (await Post([.. PictureFiles.Of(60, 30), .. new byte[3 * 1024 * 1024]])).StatusCode.ShouldBe(HttpStatusCode.Redirect);
        using var refused = await Post("x"u8.ToArray());
        WebUtility.HtmlDecode(await refused.Body()).ShouldContain("pas une image");
        using var none = await Post([], "");
        WebUtility.HtmlDecode(await none.Body()).ShouldContain("file-err");

        async Task<HttpResponseMessage> Post(byte[] file, string name = "a.png")
        {
            var form = new MultipartFormDataContent();
            foreach (var (key, value) in fields.Where(f => f.Key != "file"))
            {
                form.Add(new StringContent(value ?? ""), key);
            }
            var content = new ByteArrayContent(file);
            content.Headers.ContentDisposition = new("form-data") { Name = "file", FileName = $"\"{name}\"" };
            form.Add(content);
            return await browser.Client.PostAsync(new Uri(action, UriKind.RelativeOrAbsolute), form, TestContext.Current.CancellationToken);
        }
    }

    private async Task<(Guid Group, Guid School)> Place() => (
        await world.Sql<Guid>("select id from tenancy.school_groups where code = 'g001'"),
        await world.Sql<Guid>("select school_id from tenancy.memberships m join auth.users u on u.id = m.user_id where u.email = @email",
            new { email = Cast.HeadOnPremium }));

    private static async Task<string?> Logo(HttpClient client) =>
        (await client.Ask(HttpMethod.Get, "/api/me").Json()).GetProperty("memberships")[0].GetProperty("logo").GetString();
}
