using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Sankore.Platform.Files;
using Sankore.Platform.Web;

namespace Sankore.Tests.Campaigns;

/// <summary>A person's pictures for messages: kept once, seen by nobody else in a list, and loaded by whoever has a message.</summary>
public sealed class LibraryTests(World world) : IClassFixture<World>
{
    private const string Api = "/api/campaigns/pictures";

    [Fact]
    public async Task A_picture_is_kept_once_listed_for_its_owner_and_loaded_by_everybody()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        using var admin = await world.As(Cast.Admin1);
        using var nobody = world.Nobody();
        var file = PictureFiles.Of(900, Some());
        var picture = await Add(head, file, "C:\\Photos\\La cour.png");
        (picture.Text("name"), picture.GetProperty("width").GetInt32()).ShouldBe(("La cour.png", 900));
        (await Add(head, file, "encore.png")).Id().ShouldBe(picture.Id());

        (await List(head)).Count(p => p.Id() == picture.Id()).ShouldBe(1);
        (await List(admin)).ShouldNotContain(p => p.Id() == picture.Id());
        var own = await Add(admin, file, "la même.png");
        own.Id().ShouldNotBe(picture.Id());
        foreach (var path in new[] { picture.Text("address"), picture.Text("address") + "/small" })
        {
            using var answer = await nobody.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            answer.Content.Headers.ContentType!.MediaType.ShouldBe("image/png");
            answer.Headers.CacheControl!.ToString().ShouldBe("public, max-age=86400, immutable");
            answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        }
        (await Status(nobody, $"/i/{Guid.CreateVersion7()}")).ShouldBe(404);
    }

    [Fact]
    public async Task What_is_no_picture_is_said_beside_the_field()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        (await head.Ask(HttpMethod.Post, Api, PictureFiles.Form("x"u8.ToArray())).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("file")
            .ShouldContain("JPEG");
        (await head.Ask(HttpMethod.Post, Api, PictureFiles.Form(PictureFiles.Bomb())).ShouldRefuse(400, "VALIDATION_FAILED"))
            .ErrorOf("file").ShouldContain("32");
        (await head.Ask(HttpMethod.Post, Api, PictureFiles.Form(new byte[PictureFile.MaxBytes + 1])).ShouldRefuse(413, "TOO_LARGE"))
            .ErrorOf("file").ShouldContain("15 Mo");
        (await head.Ask(HttpMethod.Post, Api, new MultipartFormDataContent { { new StringContent("x"), "autre" } })
            .ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf("file").ShouldNotBeEmpty();
        await head.Ask(HttpMethod.Post, Api, new { file = "x" }).ShouldRefuse(415, "UNSUPPORTED_MEDIA_TYPE");
    }

    [Fact]
    public async Task Nobody_elses_is_deleted_and_ones_own_comes_back_at_its_address()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        using var admin = await world.As(Cast.Admin1);
        using var nobody = world.Nobody();
        var picture = await Add(head, PictureFiles.Of(640, Some()));
        await admin.Ask(HttpMethod.Delete, $"{Api}/{picture.Id()}").ShouldRefuse(404, "NOT_FOUND");
        var before = await Bytes(nobody, picture);

        var act = (await head.Ask(HttpMethod.Delete, $"{Api}/{picture.Id()}").Json()).Text("act");
        (await Status(nobody, picture.Text("address"))).ShouldBe(404);
        await head.Ask(HttpMethod.Post, $"/api/undo/{act}").Json();
        (await Bytes(nobody, picture)).ShouldBe(before);
    }

    [Fact]
    public async Task The_five_hundred_first_is_refused()
    {
        using var admin = await world.As(Cast.Admin1);
        await world.Execute("""
            insert into util.pictures (id, owner_id, kind, name, media_type, width, height, content, small, source)
            select gen_random_uuid(), u.id, 'message', 'n', 'image/png', 1, 1, '', '', sha256(n::text::bytea)
            from auth.users u, generate_series(1, 500 - (
              select count(*) from util.pictures p join auth.users o on o.id = p.owner_id where o.email = @email and p.kind = 'message')) n
            where email = @email
            """, new { email = Cast.Admin1 });
        await admin.Ask(HttpMethod.Post, Api, PictureFiles.Form(PictureFiles.Of(10, 10))).ShouldRefuse(409, "PICTURES_FULL");
        await world.Execute("delete from util.pictures where name = 'n'");
    }

    [Fact]
    public async Task The_database_keeps_pictures_for_their_owner()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        var picture = await Add(head, PictureFiles.Of(320, Some()));
        var (owner, other) = (await world.IdOf(Cast.HeadOnPremium), await world.IdOf(Cast.Admin1));
        const string One = "select id from util.pictures where id = @id";
        const string Insert = """
            insert into util.pictures (id, owner_id, kind, name, media_type, width, height, content, small, source)
            values (gen_random_uuid(), @owner, @kind, 'n', 'image/png', 1, 1, '', '', gen_random_uuid()::text::bytea)
            """;
        var id = picture.Id();
        (await world.AsRole<Guid>("authenticated", owner, One, new { id })).ShouldBe([id]);
        (await world.AsRole<Guid>("authenticated", other, One, new { id })).ShouldBeEmpty();
        (await world.AsRole<Guid>("authenticated", other, "delete from util.pictures where id = @id returning id", new { id }))
            .ShouldBeEmpty();
        await Denied(other, Insert, new { owner, kind = "message" });
        await Denied(owner, "update util.pictures set name = 'autre' where id = @id", new { id });
        await Denied(owner, Insert, new { owner = (Guid?)null, kind = "photo" });
        await Denied(owner, Insert, new { owner = (Guid?)null, kind = "logo" });
        await Denied(null, "select 1 from util.pictures", null, "anon");

        async Task Denied(Guid? who, string sql, object? args, string role = "authenticated") =>
            (await Should.ThrowAsync<PostgresException>(() => world.AsRole<int>(role, who, sql, args))).SqlState
                .ShouldBeOneOf(PostgresErrorCodes.InsufficientPrivilege, PostgresErrorCodes.CheckViolation);
    }

    [Fact]
    public async Task A_message_carries_pictures_of_the_library_and_the_schools_logo_by_whole_addresses()
    {
        using var head = await world.As(Cast.HeadOnPremium);
        using var admin = await world.As(Cast.Admin1);
        var group = await world.Sql<Guid>("select id from tenancy.school_groups where code = 'g001'");
        await admin.Ask(HttpMethod.Put, $"/api/groups/{group}/logo", PictureFiles.Form(PictureFiles.Of(900, 300), "logo.png")).Json(204);
        var logo = await world.Sql<Guid>("select logo_id from tenancy.school_groups where id = @group", new { group });
        var picture = await Add(head, PictureFiles.Of(800, Some()));
        var word = Catalogue.Word();
        var draft = await head.Ask(HttpMethod.Post, Mailings.Api, new
        {
            name = word,
            subject = word,
            design = new
            {
                blocks = new object[]
                {
                    new { type = "title", text = "Bonjour" }, new { type = "image", src = picture.Text("address"), alt = "La cour" },
                    new { type = "footer" },
                },
            },
        }).Json(201);
        draft.Text("content").ShouldContain($"src=\"{picture.Text("address")}\"");
        await head.Act(draft, "test").Json(202);
        MimeKit.MimeMessage? mail = null;
        await Waiting.Until(
            () => (mail = world.Mails().Select(m => ReadMail.In(m.Path)).FirstOrDefault(
                m => m.Header("Subject").Contains(word, StringComparison.Ordinal))) is not null, "the try is sent");
        var site = world.App.Services.GetRequiredService<AppAddress>();
        mail!.Html().ShouldContain($"src=\"{site.Link(picture.Text("address"))}\"");
        mail!.Html().ShouldContain($"src=\"{site.Link($"/i/{logo}")}\"");
        mail!.Plain().ShouldContain("La cour");

        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.HeadOnPremium, Sankore.Identity.PasswordRules.Demo);
        var page = await browser.Page("/campaigns/pictures");
        page.ShouldContain(picture.Text("address") + "/small");
        WebUtility.HtmlDecode(page).ShouldContain("Elle est dans 1 campagne ou modèle");
        page.ShouldContain($"/i/{logo}/small");
    }

    private static async Task<int> Status(HttpClient client, string path) => (int)(await client.Ask(HttpMethod.Get, path)).StatusCode;

    private static Task<byte[]> Bytes(HttpClient client, JsonElement picture) =>
        client.GetByteArrayAsync(new Uri(picture.Text("address"), UriKind.Relative), TestContext.Current.CancellationToken);

    private static int _made = 30;

    // Each picture of a test is another.
    private static int Some() => Interlocked.Increment(ref _made);

    private static async Task<List<JsonElement>> List(HttpClient client) =>
        [.. (await client.Ask(HttpMethod.Get, $"{Api}?size=100").Json()).GetProperty("items").EnumerateArray()];

    private static Task<JsonElement> Add(HttpClient client, byte[] file, string name = "cour.png") =>
        client.Ask(HttpMethod.Post, Api, PictureFiles.Form(file, name)).Json(201);
}
