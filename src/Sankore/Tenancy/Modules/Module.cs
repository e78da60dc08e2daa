using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>A module of the catalogue (document 002, <c>modules_activation</c>, under the glossary's names).</summary>
/// <param name="Code">Normalised, unique: see <see cref="Codes.Normalize"/>.</param>
/// <param name="Kind"><c>core</c>, <c>premium</c>, <c>option</c> or <c>admin</c>.</param>
/// <param name="Priority">Order of display, smallest first.</param>
/// <param name="Status"><c>active</c> or <c>inactive</c>.</param>
/// <param name="IsBuilt">Whether there is something behind it (« créé et fonctionnel »): what is not built is in no menu.</param>
/// <param name="Route">
/// Where it leads: the pages that this program has for its code, or an application elsewhere (https); null: nowhere yet.
/// </param>
/// <param name="Version">Counts its changes; a change must name the version it is based on.</param>
/// <param name="NameEn">Its name in English; null: as in French.</param>
public sealed record Module(
    Guid Id, string Code, string Name, string? Description, Guid CategoryId, string Kind, string? Sector, int Priority,
    string Status, bool IsBuilt, string Icon, string? Route, int Version, DateTime CreatedAt, DateTime UpdatedAt, string? NameEn)
    : IVersioned;

/// <summary>What an administrator writes of a module. What is left out has its default.</summary>
/// <param name="Code">In any spelling; taken from the name when left out.</param>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it.</param>
/// <param name="NameEn">Its name in English, where it has another.</param>
public sealed record ModuleInput(
    string? Code, string? Name, string? Description, Guid? CategoryId, string? Kind, string? Sector, int? Priority,
    string? Status, bool? IsBuilt, string? Icon, string? Route, int? Version, string? NameEn = null)
{
    /// <summary>The kinds of modules.</summary>
    public static readonly string[] Kinds = ["core", "premium", "option", "admin"];

    /// <summary>The states of modules and categories.</summary>
    public static readonly string[] States = ["active", "inactive"];

    /// <summary>The longest address, in characters.</summary>
    public const int MaxRoute = 500;

    /// <summary>
    /// The input in its one form: code normalised, texts trimmed, defaults in place. Refuses with VALIDATION_FAILED, CODE_INVALID.
    /// </summary>
    /// <param name="home">The pages that this program has for a code; null: none.</param>
    internal ModuleInput Normalized(Func<string, string?> home)
    {
        var input = this with
        {
            Code = Inputs.Code(Code, Name),
            Name = Name?.Trim(),
            NameEn = Texts.Blank(NameEn),
            Description = Texts.Blank(Description),
            Kind = Kind ?? "core",
            Sector = Texts.Blank(Sector),
            Priority = Priority ?? 100,
            Status = Status ?? "active",
            Icon = Texts.Blank(Icon) ?? "grid",
            Route = Texts.Blank(Route),
        };
        input = input with { Route = input.Route ?? home(input.Code!) };
        input = input with { IsBuilt = IsBuilt ?? input.Route is not null };
        new Validation()
            .Required("name", input.Name, 120).Optional("nameEn", input.NameEn, 120).Optional("code", Code, 200)
            .Optional("description", input.Description, 500)
            .That("categoryId", input.CategoryId is not null, "field.required").OneOf("kind", input.Kind, Kinds)
            .Optional("sector", input.Sector, 120)
            .Between("priority", input.Priority.Value, 0, 9999).OneOf("status", input.Status, States)
            .That("icon", Icons.All.Contains(input.Icon), "icon.unknown")
            .That("route", input.Route is null || input.Route == home(input.Code!) || IsElsewhere(input.Route), "route.invalid")
            .That("route", input.Route is not null || !input.IsBuilt.Value, "route.needed")
            .Check();
        return Inputs.IsCode(input.Code) ? input : throw Refusal.At("code", Reason.CodeInvalid);
    }

    /// <summary>Whether an address is that of an application elsewhere.</summary>
    private static bool IsElsewhere(string route) =>
        route.Length <= MaxRoute && !route.Any(char.IsWhiteSpace) && Uri.TryCreate(route, UriKind.Absolute, out var address)
        && address.Scheme == Uri.UriSchemeHttps && address.Host.Length > 0 && address.UserInfo.Length == 0 && address.Fragment.Length == 0
        && route.StartsWith("https://", StringComparison.Ordinal);
}

/// <summary>The icons that the catalogue may use: symbols of icons.svg.</summary>
public static class Icons
{
    /// <summary>Their names.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        "grid", "clipboard", "users", "user", "calendar", "book", "medal", "coins", "mail", "school", "building", "bus", "utensils",
        "heart",
        "library", "chart", "chat", "file", "bell", "clock", "briefcase", "flask", "trophy", "cart", "megaphone", "shield", "key", "tag",
        "globe", "bolt", "list", "home", "inbox", "settings",
    ];
}
