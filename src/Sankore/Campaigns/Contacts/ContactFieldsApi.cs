using Microsoft.AspNetCore.Http.HttpResults;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Tenancy;
using static Sankore.Campaigns.CampaignsModule;

namespace Sankore.Campaigns;

/// <summary>Fields of contacts over HTTP.</summary>
internal static class ContactFieldsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns/fields", "campaigns");
        api.MapGet("", List).RequireModule(Code);
        api.MapPost("", Create).RequireModule(Code, ModuleRight.Write);
        api.MapPut("/{id:guid}", Update).RequireModule(Code, ModuleRight.Write);
        api.MapDelete("/{id:guid}", Delete).RequireModule(Code, ModuleRight.Delete);
    }

    private static Task<IReadOnlyList<ContactField>> List(Caller caller, ContactFields fields, CancellationToken ct) =>
        fields.Counted(caller, ct);

    private static async Task<Created<ContactField>> Create(
        Caller caller, ContactFieldInput input, ContactFields fields, CancellationToken ct)
    {
        var field = await fields.Create(caller, input, ct);
        return TypedResults.Created($"/api/campaigns/fields/{field.Id}", field);
    }

    private static Task<ContactField> Update(
        Caller caller, Guid id, IfMatch match, ContactFieldInput input, ContactFields fields, CancellationToken ct) =>
        fields.Update(caller, id, match.Or(input.Version), input, ct);

    private static Task<Deleted> Delete(Caller caller, Guid id, ContactFields fields, CancellationToken ct) =>
        fields.Delete(caller, id, ct);
}
