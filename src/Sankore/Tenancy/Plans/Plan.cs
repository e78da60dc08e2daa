using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>A plan that groups subscribe to (documents 002 and 003, <c>subscription_plans</c>).</summary>
/// <param name="MonthlyPrice">Minor units of <paramref name="Currency"/>.</param>
/// <param name="YearlyPrice">Minor units of <paramref name="Currency"/>.</param>
/// <param name="Currency">ISO 4217; XAF has no minor unit.</param>
/// <param name="Modules">Modules that the caller sees in it.</param>
/// <param name="Groups">Groups that the caller sees living on it.</param>
/// <param name="NameEn">Its name in English; null: as in French.</param>
public sealed record Plan(
    Guid Id, string Name, string Slug, string? Description, long MonthlyPrice, long YearlyPrice, string Currency, int SortOrder,
    string Status, int Version, long Modules, long Groups, string? NameEn) : IVersioned
{
    /// <summary>Its name in the reader's language.</summary>
    internal string Said => Texts.Language == "en" ? NameEn ?? Name : Name;
}

/// <summary>A module as a plan has it.</summary>
public sealed record PlanModule(
    Guid Id, string Code, string Name, string? Description, string Icon, string State, int Priority, Guid CategoryId, string CategoryName,
    string CategoryColor, int CategoryOrder, long? MonthlyPrice, long? YearlyPrice);

/// <summary>What a plan says of one module: included or, out of an included category, excluded; and its prices, in minor units.</summary>
public sealed record PlanModuleInput(Guid ModuleId, bool? Included, long? MonthlyPrice, long? YearlyPrice);

/// <summary>What an administrator writes of a plan, with all its modules and categories. What is left out has its default.</summary>
/// <param name="Slug">In any spelling; taken from the name when left out.</param>
/// <param name="CategoryIds">Categories included whole, with whichever modules they come to have.</param>
/// <param name="Modules">Modules of which the plan says something itself.</param>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it.</param>
public sealed record PlanInput(
    string? Name, string? Slug, string? Description, long? MonthlyPrice, long? YearlyPrice, string? Currency, int? SortOrder,
    string? Status,
    Guid[]? CategoryIds, PlanModuleInput[]? Modules, int? Version, string? NameEn = null)
{
    private const long MaxPrice = 1_000_000_000_000;

    /// <summary>The input in its one form. Refuses with VALIDATION_FAILED, SLUG_INVALID.</summary>
    internal PlanInput Normalized()
    {
        if (Modules?.Any(m => m is null) ?? false)
        {
            throw new Refusal(Reason.BadRequest);
        }
        var input = this with
        {
            Name = Name?.Trim(),
            NameEn = Texts.Blank(NameEn),
            Slug = Inputs.Code(Slug, Name),
            Description = Texts.Blank(Description),
            MonthlyPrice = MonthlyPrice ?? 0,
            YearlyPrice = YearlyPrice ?? 0,
            Currency = Texts.Blank(Currency)?.ToUpperInvariant() ?? "XAF",
            SortOrder = SortOrder ?? 100,
            Status = Status ?? "active",
            CategoryIds = [.. (CategoryIds ?? []).Distinct()],
            Modules = [.. Modules ?? []],
        };
        new Validation()
            .Required("name", input.Name, 120).Optional("nameEn", input.NameEn, 120).Optional("slug", Slug, 200)
            .Optional("description", input.Description, 500)
            .That("monthlyPrice", IsPrice(input.MonthlyPrice), "price.invalid")
            .That("yearlyPrice", IsPrice(input.YearlyPrice), "price.invalid")
            .That("currency", input.Currency.Length == 3 && input.Currency.All(char.IsAsciiLetterUpper), "currency.invalid")
            .Between("sortOrder", input.SortOrder.Value, 0, 9999).OneOf("status", input.Status, ModuleInput.States)
            .That("modules", input.Modules.All(m => IsPrice(m.MonthlyPrice ?? 0) && IsPrice(m.YearlyPrice ?? 0)), "price.invalid")
            .That("modules", input.Modules.DistinctBy(m => m.ModuleId).Count() == input.Modules.Length, "plan.module_twice")
            .Check();
        return Inputs.IsCode(input.Slug) ? input : throw Refusal.At("slug", Reason.SlugInvalid);
    }

    private static bool IsPrice(long? minor) => minor is >= 0 and <= MaxPrice;
}

/// <summary>Who is affected by a plan's change, before it is saved.</summary>
/// <param name="Groups">Groups that live on the plan.</param>
/// <param name="Schools">Their schools.</param>
/// <param name="People">Their people.</param>
/// <param name="Gained">Names of the modules that they would come to have.</param>
/// <param name="Lost">Names of the modules that they would lose.</param>
public sealed record PlanPreview(long Groups, long Schools, long People, string[] Gained, string[] Lost)
{
    /// <summary>Whether anybody would notice.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool Matters => Groups > 0 && Gained.Length + Lost.Length > 0;
}

/// <summary>A line of the plan editor: a module of the catalogue, and what the plan says of it.</summary>
/// <param name="Included">What the plan's own line says; null without one.</param>
public sealed record PlanLine(
    Guid Id, string Code, string Name, string State, Guid CategoryId, string CategoryName, string CategoryColor, bool CategoryIncluded,
    bool? Included, long? MonthlyPrice, long? YearlyPrice);
