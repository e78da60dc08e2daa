using Microsoft.AspNetCore.Components;
using Sankore.Tenancy;

namespace Sankore.Campaigns;

/// <summary>A step on the way to a campaign: each saves the draft and leads to the next, so that nothing is lost in between.</summary>
public abstract class DraftPage : ModulePage
{
    [Inject]
    protected EmailCampaigns Campaigns { get; set; } = default!;

    /// <summary>The draft; none: it is begun with the first step.</summary>
    [Parameter]
    public Guid? Id { get; set; }

    protected Campaign? Campaign { get; private set; }

    /// <summary>Reads the draft; what is no draft any more has its own page.</summary>
    protected async Task LoadDraft()
    {
        Campaign = Id is { } id ? await Campaigns.Find(Caller, id, Ct) : null;
        if (Campaign is { Status: not "draft" } && HttpMethods.IsGet(Http.Request.Method))
        {
            Nav.NavigateTo($"/campaigns/{Id}");
        }
    }

    /// <summary>Saves what a step changes of the draft, and goes on to the next.</summary>
    /// <param name="next">The next step; null: stays.</param>
    /// <param name="version">The version that the form was made from.</param>
    /// <param name="change">What the step changes.</param>
    protected Task SaveStep(string? next, int version, Func<CampaignInput, CampaignInput> change) => Try(async () =>
        $"/campaigns/{(await SaveDraft(version, change)).Id}/edit/{next}");

    /// <summary>Saves what a step changes of the draft.</summary>
    /// <param name="version">The version that the form was made from.</param>
    /// <param name="change">What the step changes.</param>
    protected async Task<Campaign> SaveDraft(int version, Func<CampaignInput, CampaignInput> change)
    {
        var draft = change(Campaign is not { } c ? new CampaignInput(null, null, null, null, null, null, null, null, null, null)
            : new CampaignInput(
                c.Name, c.Subject, c.Content, c.TemplateId, c.FromName, c.ReplyTo, c.Audience, c.TrackOpens, c.TrackClicks, version,
                c.Design));
        return Id is { } id ? await Campaigns.Update(Caller, id, version, draft, Ct) : await Campaigns.Create(Caller, draft, Ct);
    }
}
