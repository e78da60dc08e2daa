using System.Net;

namespace Sankore.Tests.Guards;

/// <summary>Whatever input can break of the catalogue's constraints is refused with a code of its own, and a person is told which field it is.</summary>
public sealed class ConstraintGuards(World world) : IClassFixture<World>
{
    private sealed record Breach(string Path, string Field, object? Value, string Code);

    /// <summary>How the API answers input that would break each constraint. Null: no input reaches it, because the server itself writes the value.</summary>
    private static readonly Dictionary<string, Breach?> Breaches = new()
    {
        ["modules_pkey"] = null,
        ["modules_created_by_fkey"] = null,
        ["modules_code_unique"] = new("/api/modules", "code", "formation", "CODE_TAKEN"),
        ["modules_code_check"] = new("/api/modules", "code", "???", "CODE_INVALID"),
        ["modules_category_id_fkey"] = new("/api/modules", "categoryId", Guid.CreateVersion7(), "CATEGORY_UNKNOWN"),
        ["modules_name_check"] = new("/api/modules", "name", " ", "VALIDATION_FAILED"),
        ["modules_description_check"] = new("/api/modules", "description", new string('d', 501), "VALIDATION_FAILED"),
        ["modules_kind_check"] = new("/api/modules", "kind", "free", "VALIDATION_FAILED"),
        ["modules_sector_check"] = new("/api/modules", "sector", new string('s', 121), "VALIDATION_FAILED"),
        ["modules_priority_check"] = new("/api/modules", "priority", 10_000, "VALIDATION_FAILED"),
        ["modules_status_check"] = new("/api/modules", "status", "asleep", "VALIDATION_FAILED"),
        ["modules_icon_check"] = new("/api/modules", "icon", "Ghost!", "VALIDATION_FAILED"),
        ["modules_route_check"] = new("/api/modules", "route", "//evil.test/X", "VALIDATION_FAILED"),
        ["business_categories_pkey"] = null,
        ["business_categories_created_by_fkey"] = null,
        ["business_categories_slug_unique"] = new("/api/categories", "slug", "Scolarité", "SLUG_TAKEN"),
        ["business_categories_slug_check"] = new("/api/categories", "slug", "…", "SLUG_INVALID"),
        ["business_categories_name_check"] = new("/api/categories", "name", new string('n', 121), "VALIDATION_FAILED"),
        ["business_categories_description_check"] = new("/api/categories", "description", new string('d', 501), "VALIDATION_FAILED"),
        ["business_categories_icon_check"] = new("/api/categories", "icon", "ghost", "VALIDATION_FAILED"),
        ["business_categories_color_check"] = new("/api/categories", "color", "pink", "VALIDATION_FAILED"),
        ["business_categories_sort_order_check"] = new("/api/categories", "sortOrder", -1, "VALIDATION_FAILED"),
        ["business_categories_status_check"] = new("/api/categories", "status", "", "VALIDATION_FAILED"),
    };

    public static TheoryData<string> Reachable => [.. Breaches.Where(b => b.Value is not null).Select(b => b.Key)];

    [Fact]
    public async Task Every_constraint_of_the_catalogue_is_accounted_for()
    {
        var names = await world.Sql<string[]>("""
            select array_agg(conname::text order by conname) from pg_constraint
            where conrelid in ('tenancy.modules'::regclass, 'tenancy.business_categories'::regclass) and contype in ('p', 'u', 'c', 'f', 'x')
            """);
        names.Order(StringComparer.Ordinal).ShouldBe(Breaches.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Reachable))]
    public async Task Input_that_would_break_it_is_refused_in_words_and_names_its_field(string constraint)
    {
        var breach = Breaches[constraint]!;
        foreach (var language in (string[])["fr", "en"])
        {
            using var admin = await world.As(Cast.Super);
            admin.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
            var category = await world.Sql<Guid>("select id from tenancy.business_categories order by id limit 1");
            var input = new Dictionary<string, object?> { ["name"] = $"Essai {constraint}", ["categoryId"] = category, [breach.Field] = breach.Value };

            var answer = await admin.Post(breach.Path, input);

            answer.Code.ShouldBe(breach.Code);
            ((int)answer.Status).ShouldBeInRange(400, 422);
            answer.Status.ShouldNotBe(HttpStatusCode.Unauthorized);
            var errors = answer.Body.GetProperty("errors");
            errors.EnumerateObject().Select(e => e.Name).ShouldBe([breach.Field]);
            // A key of the resources in place of a sentence means that there is no message.
            errors.GetProperty(breach.Field)[0].GetString()!.ShouldContain(' ');
        }
    }

    [Fact]
    public async Task A_category_that_still_has_modules_is_not_deleted()
    {
        using var admin = await world.As(Cast.Super);
        var category = await world.Sql<Guid>("select category_id from tenancy.modules limit 1");
        var answer = await admin.Remove($"/api/categories/{category}");
        answer.Status.ShouldBe(HttpStatusCode.Conflict);
        (await world.Sql<long>("select count(*) from tenancy.business_categories where id = @category", new { category })).ShouldBe(1);
        answer.Code.ShouldBe("CATEGORY_IN_USE");
    }
}
