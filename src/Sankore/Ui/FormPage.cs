using Microsoft.AspNetCore.Components;
using Sankore.Platform.Security;

namespace Sankore.Ui;

/// <summary>A page with forms: what a form does is tried, and a refusal is shown with what was filled in.</summary>
public abstract class FormPage : ComponentBase
{
    /// <summary>Where pages lead.</summary>
    [Inject]
    protected NavigationManager Nav { get; set; } = default!;

    /// <summary>Who is asking.</summary>
    [Inject]
    protected Caller Caller { get; set; } = default!;

    /// <summary>The request.</summary>
    [CascadingParameter]
    protected HttpContext Http { get; set; } = default!;

    /// <summary>What was just done, from the address.</summary>
    [SupplyParameterFromQuery]
    protected string? Done { get; set; }

    /// <summary>Why the last attempt was refused.</summary>
    protected Refusal? Refusal { get; set; }

    /// <summary>Does something that says where to go next, or null to stay; or keeps its refusal.</summary>
    protected async Task Try(Func<Task<string?>> act)
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
