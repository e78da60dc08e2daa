using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Ui;

/// <summary>Shell, layout and components of the pages.</summary>
public sealed class UiModule : SankoreModule
{
    public override void Routes(IEndpointRouteBuilder routes)
    {
        routes.MapApi("/api/undo", "undo").MapPost("/{act:guid}", BringBack).ForPeople();
        routes.MapPost("/undo", Undo).ForPeople().ExcludeFromDescription();
    }

    /// <summary>Brings back what an act of the caller's deleted. Refuses with NOT_FOUND.</summary>
    private static Task<BroughtBack> BringBack(Caller caller, Guid act, DeletedRows deleted, CancellationToken ct) =>
        deleted.BringBack(caller, act, ct);

    /// <summary>The same from the page that says what was deleted (Flash), which shows it again.</summary>
    private static async Task<IResult> Undo(
        HttpContext context, Caller caller, [FromForm] Guid act, [FromForm] string? returnUrl, DeletedRows deleted,
        IAntiforgery antiforgery, CancellationToken ct)
    {
        await antiforgery.ValidateRequestAsync(context);
        var back = await deleted.BringBack(caller, act, ct);
        var page = AppAddress.Local(returnUrl);
        return Results.LocalRedirect($"{page}{(page.Contains('?', StringComparison.Ordinal) ? '&' : '?')}done=restored&n={back.Count}");
    }
}
