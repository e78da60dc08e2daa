using System.Net.Http.Headers;

namespace Sankore.Tests.Rbac;

/// <summary>Keys of services: shown once, hashed at rest, good for their permissions and no more.</summary>
public sealed class ApiKeyTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task The_secret_is_shown_once()
    {
        using var admin = await world.As(Cast.Super);
        var name = $"Export {Catalogue.Word()}";
        var made = await admin.Ask(HttpMethod.Post, "/api/api-keys", new { name, permissions = new[] { "tenancy.read", "identity.read" } })
            .Json();
        var secret = made.Text("secret");
        secret.ShouldStartWith("sk_");
        secret.Length.ShouldBeGreaterThanOrEqualTo(40);
        var key = made.GetProperty("apiKey");
        key.Text("name").ShouldBe(name);
        secret.ShouldStartWith(key.Text("keyPrefix"));

        var listed = await admin.Ask(HttpMethod.Get, "/api/api-keys").Json();
        listed.Texts("name").ShouldContain(name);
        listed.ToString().ShouldNotContain(secret);
        listed.ToString().ShouldNotContain("hash", Case.Insensitive);
    }

    [Fact]
    public async Task Only_a_hash_is_kept()
    {
        using var admin = await world.As(Cast.Super);
        var (id, secret) = await Key(admin, "tenancy.read");
        var kept = await world.Sql<string>("select to_jsonb(k)::text from rbac.api_keys k where id = @id", new { id });
        kept.ShouldNotContain(secret);
        (await world.Sql<bool>(
            "select key_hash = sha256(convert_to(@secret, 'UTF8')) from rbac.api_keys where id = @id", new { id, secret })).ShouldBeTrue();
        (await world.Sql<long>(
            "select count(*) from audit.audit_logs where coalesce(after::text, '') like '%' || @secret || '%' or after ? 'key_hash'",
            new { secret })).ShouldBe(0);
        (await world.Sql<long>(
            "select count(*) from audit.audit_logs where table_name = 'rbac.api_keys' and record_id = @id::text and user_id is not null",
            new { id })).ShouldBe(1);
    }

    [Fact]
    public async Task A_key_may_do_what_its_permissions_say()
    {
        using var admin = await world.As(Cast.Super);
        using var service = Service(
            (await Key(admin, "tenancy.read", "tenancy.manage", "tenancy.delete", "identity.read", "rbac.read", "audit.read")).Secret);
        (await service.Ask(HttpMethod.Get, "/api/users?q=super@").Json()).GetProperty("total").GetInt32().ShouldBe(1);
        (await service.Ask(HttpMethod.Get, "/api/roles").Json()).GetArrayLength().ShouldBe(5);
        (await service.Ask(HttpMethod.Get, "/api/schools").Json()).GetProperty("total").GetInt32().ShouldBe(60);
        (await service.Ask(HttpMethod.Get, "/api/modules").Json()).GetProperty("total").GetInt32().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_key_for_the_audit_log_reads_it()
    {
        using var admin = await world.As(Cast.Super);
        await admin.NewCategory();
        using var service = Service((await Key(admin, "audit.read")).Secret);
        (await service.Ask(HttpMethod.Get, "/api/audit-logs?table=business_categories").Json()).GetProperty("total").GetInt32()
            .ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_key_that_manages_the_catalogue_changes_it()
    {
        using var admin = await world.As(Cast.Super);
        using var service = Service((await Key(admin, "tenancy.read", "tenancy.manage", "tenancy.delete")).Secret);
        var module = await service.NewModule();
        var saved = await service.Ask(HttpMethod.Put, $"/api/modules/{module.Id()}", module.With(("icon", "users"))).Json();
        await service.Ask(HttpMethod.Put, $"/api/modules/{module.Id()}", module.With(("icon", "book"))).ShouldRefuse(412, "STALE");
        await service.Ask(HttpMethod.Delete, $"/api/modules/{saved.Id()}").Json(204);
    }

    [Fact]
    public async Task A_key_may_do_nothing_else()
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        using var service = Service((await Key(admin, "operations.read")).Secret);
        foreach (var path in new[] { "/api/users", "/api/roles", "/api/audit-logs", "/api/api-keys", "/api/me", "/api/me/menu", "/live" })
        {
            await service.Ask(HttpMethod.Get, path).ShouldRefuse(403, "FORBIDDEN");
        }
        await service.Ask(HttpMethod.Post, "/api/modules", module.With(("code", Catalogue.Word()))).ShouldRefuse(403, "FORBIDDEN");
        await service.Ask(HttpMethod.Delete, $"/api/modules/{module.Id()}").ShouldRefuse(403, "FORBIDDEN");
        await service.Ask(HttpMethod.Post, "/api/api-keys", new { name = "more", permissions = new[] { "audit.read" } })
            .ShouldRefuse(403, "FORBIDDEN");
        await service.Ask(HttpMethod.Post, $"/api/users/{await world.IdOf(Cast.HeadOnPremium)}/roles", new { role = "admin" })
            .ShouldRefuse(403, "FORBIDDEN");
    }

    [Theory]
    [InlineData("modules")]
    [InlineData("categories")]
    [InlineData("plans")]
    [InlineData("groups")]
    [InlineData("schools")]
    public async Task A_key_that_may_not_read_the_network_sees_nothing_of_it(string list)
    {
        using var admin = await world.As(Cast.Super);
        using var service = Service((await Key(admin, "operations.read")).Secret);
        using var answer = await service.Ask(HttpMethod.Get, $"/api/{list}");
        if ((int)answer.StatusCode != 403)
        {
            (await Task.FromResult(answer).Json()).GetProperty("total").GetInt32().ShouldBe(0);
        }
    }

    [Fact]
    public async Task A_revoked_key_is_refused_at_once()
    {
        using var admin = await world.As(Cast.Super);
        var (id, secret) = await Key(admin, "tenancy.read");
        using var service = Service(secret);
        await service.Ask(HttpMethod.Get, "/api/modules").Json();
        await admin.Ask(HttpMethod.Delete, $"/api/api-keys/{id}").Json(204);
        await service.Ask(HttpMethod.Get, "/api/modules").ShouldRefuse(401, "UNAUTHENTICATED");
        await admin.Ask(HttpMethod.Delete, $"/api/api-keys/{id}").ShouldRefuse(404, "NOT_FOUND");
        await admin.Ask(HttpMethod.Delete, $"/api/api-keys/{Guid.NewGuid()}").ShouldRefuse(404, "NOT_FOUND");
    }

    [Fact]
    public async Task A_key_ends_when_its_time_is_over()
    {
        using var admin = await world.As(Cast.Super);
        var made = await admin.Ask(
            HttpMethod.Post, "/api/api-keys",
            new { name = "Short", permissions = new[] { "tenancy.read" }, expiresAt = DateTime.UtcNow.AddHours(1) }).Json();
        using var service = Service(made.Text("secret"));
        await service.Ask(HttpMethod.Get, "/api/modules").Json();
        await world.Execute("update rbac.api_keys set expires_at = now() where id = @id", new { id = made.GetProperty("apiKey").Id() });
        await service.Ask(HttpMethod.Get, "/api/modules").ShouldRefuse(401, "UNAUTHENTICATED");
    }

    public static TheoryData<string, object> WrongKeys => new()
    {
        { "name", new { name = " ", permissions = new[] { "tenancy.read" } } },
        { "name", new { name = new string('x', 121), permissions = new[] { "tenancy.read" } } },
        { "name", new { name = "nul\0", permissions = new[] { "tenancy.read" } } },
        { "permissions", new { name = "Key" } },
        { "permissions", new { name = "Key", permissions = Array.Empty<string>() } },
        { "permissions", new { name = "Key", permissions = new[] { "tenancy.read", "everything.do" } } },
        { "permissions", new { name = "Key", permissions = new string?[] { "tenancy.read", null } } },
        { "expiresAt", new { name = "Key", permissions = new[] { "tenancy.read" }, expiresAt = DateTime.UtcNow.AddMinutes(-1) } },
    };

    [Theory]
    [MemberData(nameof(WrongKeys))]
    public async Task A_wrong_field_is_named(string field, object input)
    {
        using var admin = await world.As(Cast.Super);
        (await admin.Ask(HttpMethod.Post, "/api/api-keys", input).ShouldRefuse(400, "VALIDATION_FAILED")).ErrorOf(field);
    }

    [Theory]
    [InlineData(Cast.HeadOnPremium)]
    [InlineData(Cast.Admin1)]
    public async Task Only_an_operator_deals_with_keys(string email)
    {
        using var admin = await world.As(Cast.Super);
        var (id, _) = await Key(admin, "tenancy.read");
        using var member = await world.As(email);
        await member.Ask(HttpMethod.Get, "/api/api-keys").ShouldRefuse(403, "FORBIDDEN");
        await member.Ask(HttpMethod.Post, "/api/api-keys", new { name = "Mine", permissions = new[] { "tenancy.read" } })
            .ShouldRefuse(403, "FORBIDDEN");
        await member.Ask(HttpMethod.Delete, $"/api/api-keys/{id}").ShouldRefuse(403, "FORBIDDEN");
        (await world.AsRole<Guid>("authenticated", await world.IdOf(email), "select id from rbac.api_keys")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("sk_")]
    [InlineData("sk_0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("SK_rubbish")]
    [InlineData("sk_'; drop table rbac.api_keys --")]
    public async Task A_key_that_never_was_is_refused(string secret)
    {
        using var service = Service(secret);
        await service.Ask(HttpMethod.Get, "/api/modules").ShouldRefuse(401, "UNAUTHENTICATED");
    }

    private static async Task<(Guid Id, string Secret)> Key(HttpClient admin, params string[] permissions)
    {
        var made = await admin.Ask(HttpMethod.Post, "/api/api-keys", new { name = "Key", permissions }).Json();
        return (made.GetProperty("apiKey").Id(), made.Text("secret"));
    }

    private HttpClient Service(string secret)
    {
        var client = world.Nobody();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        return client;
    }
}
