using Sankore.Platform.Jobs;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>
/// E-mail campaigns (document 001): contacts and organisations, templates, campaigns, and what became of each message. The module
/// <c>campagnes</c> of the catalogue.
/// </summary>
public sealed class CampaignsModule : SankoreModule
{
    /// <summary>The module's code in the catalogue: whoever's chain holds for it has these pages and endpoints.</summary>
    public const string Code = "campagnes";

    public override IReadOnlyDictionary<string, string> Homes => new Dictionary<string, string> { [Code] = "/campaigns" };

    public override IEnumerable<HomePart> Home => CampaignsHome.Parts;

    public override IEnumerable<SearchPart> Searches => CampaignsSearch.Parts;

    public override IEnumerable<Reason> Reasons => CampaignsReasons.All;

    public override IReadOnlyDictionary<string, Reason> Constraints { get; } = new Dictionary<string, Reason>
    {
        ["contacts_user_id_email_key_unique"] = Reason.ContactExists,
        ["organizations_user_id_name_unique"] = Reason.OrganizationExists,
        ["segments_user_id_name_unique"] = Reason.SegmentExists,
        ["contact_fields_user_id_key_unique"] = Reason.FieldExists,
        ["suppressions_user_id_email_key_unique"] = Reason.SuppressionExists,
    };

    public override IEnumerable<MenuEntry> Menu =>
        [new("operations.manage", "/admin/bounces", "shield", "menu.bounces", typeof(Strings), 44)];

    // Organisations before the contacts that are of them, and what campaigns are made of before them.
    public override IReadOnlyList<KeyValuePair<string, string>> Restores =>
    [
        new("organizations", Organizations.RestoreSql), new("contacts", Contacts.RestoreSql), new("segments", Segments.RestoreSql),
        new("suppressions", Suppressions.RestoreSql), new("templates", EmailTemplates.RestoreSql),
        new("campaigns", EmailCampaigns.RestoreSql), new("contact_fields", ContactFields.RestoreSql),
        new("pictures", MessagePictures.RestoreSql),
    ];

    public override IEnumerable<RecurringWork> Recurring => [DeliveryEvents.Waiting, CampaignRescue.Work];

    public override void Services(IServiceCollection services, IConfiguration configuration)
    {
        services.AddScoped<Dashboard>();
        services.AddScoped<Contacts>();
        services.AddScoped<Organizations>();
        services.AddScoped<Segments>();
        services.AddScoped<ContactFields>();
        services.AddScoped<Suppressions>();
        services.AddScoped<BounceWaves>();
        services.AddScoped<Platform.Imports.ImportKind, ContactsKind>();
        services.AddScoped<EmailTemplates>();
        services.AddScoped<MessagePictures>();
        services.AddScoped<Previews>();
        services.AddScoped<EmailCampaigns>();
        services.AddScoped<Attachments>();
        services.AddScoped<CampaignOutbox>();
        services.AddScoped<Dispatch>();
        services.AddScoped<Analytics>();
        services.AddScoped<Recipients>();
        services.AddSingleton<SendLedger>();
        services.AddSingleton<CampaignMailer>();
        services.AddSingleton<SignedLinks>();
        services.AddSingleton<Tracking>();
        services.AddSingleton<Unsubscriptions>();
        services.AddSingleton<DeliveryEvents>();
        services.AddSingleton(DeliverySources.Read(configuration));
        services.AddSingleton<IJobHandler, CampaignStartJob>();
        services.AddSingleton<IJobHandler, CampaignBatchJob>();
        services.AddSingleton<IJobHandler, CampaignTestJob>();
        services.AddHostedService<BounceFolder>();
        services.AddSingleton<ProgressFeed>();
        services.AddHostedService(sp => sp.GetRequiredService<ProgressFeed>());
    }

    public override void Routes(IEndpointRouteBuilder routes)
    {
        ContactsApi.Map(routes);
        OrganizationsApi.Map(routes);
        SegmentsApi.Map(routes);
        ContactFieldsApi.Map(routes);
        SuppressionsApi.Map(routes);
        BounceWavesApi.Map(routes);
        ImportsApi.Map(routes);
        TemplatesApi.Map(routes);
        PicturesApi.Map(routes);
        CampaignsApi.Map(routes);
        AttachmentsApi.Map(routes);
        OutboxApi.Map(routes);
        RecipientsApi.Map(routes);
        EventsApi.Map(routes);
        PublicLinks.Map(routes);
    }
}
