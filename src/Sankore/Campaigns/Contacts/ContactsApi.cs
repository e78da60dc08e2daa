using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;
using Sankore.Tenancy;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns;

/// <summary>Contacts over HTTP.</summary>
internal static class ContactsApi
{
    private static readonly string[] ExportHead =
    [
        "contacts.email", "contacts.name", "contacts.organization", "contacts.phone", "contacts.tags", "contacts.consent",
        "contacts.consent.on", "suppressions.reason",
    ];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns", "campaigns");
        api.MapGet("/contacts", List).RequireModule(Code);
        api.MapGet("/contacts/{id:guid}", Find).RequireModule(Code);
        api.MapGet("/contacts/export", Export).RequireModule(Code, ModuleRight.Export);
        api.MapGet("/tags", Tags).RequireModule(Code);
        api.MapPost("/contacts", Create).RequireModule(Code, ModuleRight.Write);
        api.MapPut("/contacts/{id:guid}", Update).RequireModule(Code, ModuleRight.Write);
        api.MapPost("/contacts/{id:guid}/merge", Merge).RequireModule(Code, ModuleRight.Write);
        api.MapDelete("/contacts/{id:guid}", Delete).RequireModule(Code, ModuleRight.Delete);
    }

    private static Task<Paged<Contact>> List(
        Caller caller, [AsParameters] ListQuery query, [AsParameters] ContactFilter filter, Contacts contacts, CancellationToken ct) =>
        contacts.List(caller, query, filter, ct);

    private static Task<Contact> Find(Caller caller, Guid id, Contacts contacts, CancellationToken ct) => contacts.Find(caller, id, ct);

    private static async Task<IResult> Export(
        Caller caller, [AsParameters] ListQuery query, [AsParameters] ContactFilter filter, string? format, Contacts contacts,
        ContactFields fields, IStringLocalizer<Strings> strings, CancellationToken ct)
    {
        var own = await fields.All(caller, ct);
        var rows = contacts.All(caller, query.Q, filter, ct);
        return Exports.File(
            format, "contacts", [.. ExportHead.Select(key => strings[key].Value), .. own.Select(f => f.Label)], rows,
            contact => [.. Cells(contact, strings), .. own.Select(f => FieldValues.Raw(contact.Fields, f.Key))]);
    }

    private static string?[] Cells(Contact c, IStringLocalizer<Strings> strings) =>
    [
        c.Email, c.Name, c.OrganizationName, c.Phone, string.Join(", ", c.Tags), c.ConsentSource,
        Days.Of(c.ConsentAt),
        c.Suppression is null ? null : strings["suppression." + c.Suppression].Value,
    ];

    private static Task<IReadOnlyList<string>> Tags(Caller caller, Contacts contacts, CancellationToken ct) => contacts.Tags(caller, ct);

    private static async Task<Created<Contact>> Create(Caller caller, ContactInput input, Contacts contacts, CancellationToken ct)
    {
        var contact = await contacts.Create(caller, input, ct);
        return TypedResults.Created($"/api/campaigns/contacts/{contact.Id}", contact);
    }

    private static Task<Contact> Update(
        Caller caller, Guid id, IfMatch match, ContactInput input, Contacts contacts, CancellationToken ct) =>
        contacts.Update(caller, id, match.Or(input.Version), input, ct);

    private static Task<Contact> Merge(Caller caller, Guid id, MergeInput input, Contacts contacts, CancellationToken ct) =>
        contacts.Merge(caller, id, input.Ids ?? [], ct);

    private static async Task Delete(Caller caller, Guid id, Contacts contacts, CancellationToken ct)
    {
        if ((await contacts.Delete(caller, [id], ct)).Count == 0)
        {
            throw new Refusal(Reason.NotFound);
        }
    }
}
