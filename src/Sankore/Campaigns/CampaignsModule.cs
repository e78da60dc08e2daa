using Sankore.Campaigns.Contacts;
using Sankore.Campaigns.Events;
using Sankore.Campaigns.Imports;
using Sankore.Campaigns.Mailing;
using Sankore.Campaigns.Templates;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;
using Sankore.Tenancy.Assignments;

namespace Sankore.Campaigns;

/// <summary>E-mail campaigns (document 001): contacts and organisations, templates, campaigns, and what became of each message. The module <c>campagnes</c> of the catalogue.</summary>
public sealed class CampaignsModule : SankoreModule
{
    /// <summary>The module's code in the catalogue: whoever's chain holds for it has these pages and endpoints.</summary>
    public const string Code = "campagnes";

    /// <inheritdoc/>
    public override IEnumerable<Reason> Reasons => CampaignsReasons.All;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Reason> Constraints { get; } = new Dictionary<string, Reason>
    {
        ["contacts_user_id_email_unique"] = Reason.ContactExists,
        ["organizations_user_id_name_unique"] = Reason.OrganizationExists,
        ["segments_user_id_name_unique"] = Reason.SegmentExists,
        ["suppressions_user_id_email_unique"] = Reason.SuppressionExists,
    };

    /// <inheritdoc/>
    public override IEnumerable<RecurringWork> Recurring => [DeliveryEvents.Waiting, new("campaigns: none waits for ever", TimeSpan.FromMinutes(1), "select campaigns.rescue()")];

    /// <inheritdoc/>
    public override void Services(IServiceCollection services, IConfiguration configuration) =>
        services.AddScoped<Contacts.Contacts>().AddScoped<Organizations>().AddScoped<Segments>().AddScoped<Suppressions>().AddScoped<ContactImports>().AddScoped<Dashboard>()
            .AddScoped<Mailing.Campaigns>().AddScoped<Attachments>().AddScoped<CampaignOutbox>().AddScoped<Dispatch>().AddScoped<Analytics>().AddScoped<EmailTemplates>().AddScoped<Previews>()
            .AddSingleton(DeliverySources.Read(configuration)).AddSingleton<SignedLinks>().AddSingleton<DeliveryEvents>().AddSingleton<Unsubscriptions>().AddSingleton<Tracking>().AddScoped<Recipients>()
            .AddHostedService<BounceFolder>()
            .AddSingleton<ProgressFeed>().AddHostedService(sp => sp.GetRequiredService<ProgressFeed>()).AddSingleton<SendLedger>().AddSingleton<Post>()
            .AddSingleton<IJobHandler, ContactImportJob>().AddSingleton<IJobHandler, CampaignStartJob>().AddSingleton<IJobHandler, CampaignBatchJob>().AddSingleton<IJobHandler, CampaignTestJob>();

    /// <inheritdoc/>
    public override void Routes(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/campaigns").WithTags("campaigns").RequireAuthorization();
        var (read, write) = (api.MapGroup("").RequireModule(Code), api.MapGroup("").RequireModule(Code, ModuleRight.Write));
        var (delete, export) = (api.MapGroup("").RequireModule(Code, ModuleRight.Delete), api.MapGroup("").RequireModule(Code, ModuleRight.Export));

        read.MapGet("/dashboard", (Caller caller, Dashboard use, CancellationToken ct) => use.Read(caller, ct));
        ContactsApi.Map(read, write, delete, export);
        ImportsApi.Map(write);
        CampaignsApi.Map(read, write, delete);
        AttachmentsApi.Map(read, write);
        TemplatesApi.Map(read, write, delete);

        var pages = routes.MapGroup("/campaigns").ExcludeFromDescription().RequireAuthorization();
        var (shown, tried) = (pages.MapGroup("").RequireModule(Code), pages.MapGroup("").RequireModule(Code, ModuleRight.Write));
        TemplatesApi.MapPreviews(shown.MapGroup("/templates"), tried.MapGroup("/templates"));
        CampaignsApi.MapPreviews(shown);
        CampaignsApi.MapOutbox(shown);
        RecipientsApi.Map(read, export);
        EventsApi.Map(routes);
        PublicLinks.Map(routes);
    }
}
