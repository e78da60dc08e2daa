using Microsoft.AspNetCore.Components;
using Sankore.Platform.Security;

namespace Sankore.Ui;

/// <summary>A page: who asks, the request, and forms whose refusals are shown with what was filled in.</summary>
public abstract class SankorePage : ComponentBase
{
    [Inject]
    protected NavigationManager Nav { get; set; } = default!;

    [Inject]
    protected Caller Caller { get; set; } = default!;

    [CascadingParameter]
    protected HttpContext Http { get; set; } = default!;

    /// <summary>What was just done, from the address.</summary>
    [SupplyParameterFromQuery]
    protected string? Done { get; set; }

    /// <summary>Why the last attempt was refused.</summary>
    protected Refusal? Refusal { get; set; }

    /// <summary>Cancelled when the person leaves before the page is there.</summary>
    protected CancellationToken Ct => Http.RequestAborted;

    /// <summary>Whether the person has read what the form would do, and means it (<c>SureFirst</c>).</summary>
    protected bool Confirmed => Http.Request.HasFormContentType && Http.Request.Form["confirmed"] == "yes";

    /// <summary>
    /// Runs what a form does. It returns the address to go to next, or null to stay; its refusal is kept for the page to show.
    /// </summary>
    protected virtual async Task Try(Func<Task<string?>> act)
    {
        string? next;
        try
        {
            next = await act();
        }
        catch (Refusal refusal)
        {
            Refusal = refusal;
            return;
        }
        if (next is not null)
        {
            Nav.NavigateTo(next);
        }
    }
}
