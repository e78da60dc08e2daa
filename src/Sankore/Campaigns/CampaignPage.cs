using Microsoft.AspNetCore.Components;
using Sankore.Tenancy.Assignments;
using Sankore.Ui;

namespace Sankore.Campaigns;

/// <summary>A page of the module: it offers what the person may do here, and asks again before anything is done.</summary>
public abstract class CampaignPage : FormPage
{
    /// <summary>Asks for rights.</summary>
    [Inject]
    protected ModuleAccess Access { get; set; } = default!;

    /// <summary>Whether to offer something.</summary>
    protected bool May(ModuleRight right) => Http.MayInModule(right);

    /// <summary>Does something that needs a right, and says where to go next, or null to stay; or keeps its refusal.</summary>
    protected Task Try(ModuleRight right, Func<Task<string?>> act) => Try(async () =>
    {
        await Access.Require(Caller, CampaignsModule.Code, right, Http.RequestAborted);
        return await act();
    });
}
