using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>A person's figures (document 001, « dashboard_analytics »).</summary>
/// <param name="UserId">Whose.</param>
/// <param name="ActiveCampaigns">Scheduled, sending or paused.</param>
/// <param name="EmailsSentToday">Accepted by the mail server since midnight, UTC+1.</param>
public sealed record DashboardView(Guid UserId, int TotalContacts, int TotalOrganizations, long ActiveCampaigns, long EmailsSentToday);

/// <summary>The module's first page.</summary>
public sealed class Dashboard(Db db)
{
    private const string Sql = """
        select user_id, total_contacts, total_organizations, active_campaigns, emails_sent_today from campaigns.dashboard_analytics
        """;

    /// <summary>The caller's figures.</summary>
    public Task<DashboardView> Read(Caller caller, CancellationToken ct) => db.Read(caller, session => session.One<DashboardView>(Sql), ct);
}
