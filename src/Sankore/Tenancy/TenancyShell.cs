using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Ui;

namespace Sankore.Tenancy;

/// <summary>Reads what is around a person's pages: position first, then name, place, plan and menu, in one round trip.</summary>
public sealed class TenancyShell(Db db, IConfiguration configuration, IStringLocalizer<Strings> strings)
{
    // How long a group lives on after the end that nobody paid for (document 002; tenancy.due_subscriptions).
    private const int GraceDays = 15;

    private const string Sql = "select live.position();"
        + " select email, display_name, avatar_url from public.profiles where id = (select auth.uid());"
        + Me.MembershipsSql + ";" + Me.PlanSql + ";" + Me.MenuSql
        + "; select state, ends_at, time_zone, administrators, contact_email, contact_phone from tenancy.my_standing()";

    private sealed record Person(string Email, string DisplayName, string? AvatarUrl);

    private sealed record Standing(
        string State, DateTime? EndsAt, string TimeZone, string[] Administrators, string? ContactEmail, string? ContactPhone);

    public Task<ShellContent> Load(Caller caller, CancellationToken ct) => db.Read(caller, async session =>
    {
        await using var grid = await session.Queries(Sql);
        var position = await grid.ReadFirstAsync<long>();
        var person = await grid.ReadFirstAsync<Person>();
        var memberships = (await grid.ReadAsync<MembershipView>()).ToList();
        var membership = memberships.FirstOrDefault();
        var plan = await grid.ReadFirstOrDefaultAsync<PlanView>();
        var sections = (await grid.ReadAsync<Me.MenuRow>())
            .GroupBy(m => (m.CategoryId, m.CategoryName, m.Color, m.SortOrder))
            .Select(g => new ShellSection(g.Key.CategoryId, g.Key.CategoryName, g.Key.Color, g.Key.SortOrder,
                [.. g.Select(m => new ShellLink(m.Id, m.Name, m.Description, m.Icon, m.Route, m.Priority))])).ToList();
        var administers = memberships.Exists(m => m.Role == "group_admin");
        var standing = await grid.ReadFirstOrDefaultAsync<Standing>();
        return new ShellContent(position, person.DisplayName, person.Email, membership?.SchoolName ?? membership?.GroupName,
            membership?.SchoolName is null ? null : membership.GroupName, membership is null ? null
            : "role." + membership.Role, plan?.Name, administers, sections, standing is null ? null : Notice(standing, administers),
            membership?.Logo, person.AvatarUrl);
    }, ct);

    /// <summary>What is wrong, until when, and whom to ask: the administrators of the group are told the operator's address.</summary>
    private ShellNotice? Notice(Standing standing, bool administers)
    {
        if (standing.State == "ending" && !administers)
        {
            return null;
        }
        var end = standing.EndsAt is { } at ? Days.LastOf(at, Zones.Find(standing.TimeZone)) : (DateOnly?)null;
        var text = strings[
            "standing." + standing.State, end is { } day ? Format.Day(day) : "—", end is { } last
            ? Format.Day(last.AddDays(GraceDays)) : "—"];
        var addresses = new[] { standing.ContactEmail, standing.ContactPhone }.Where(a => !string.IsNullOrEmpty(a));
        var whom = administers ? configuration["Sankore:Support"] is { Length: > 0 } support ? strings["standing.operator", support]
            : strings["standing.operator.unknown"]
            : strings["standing.administrators", string.Join(" · ", standing.Administrators.Concat(addresses))];
        return new ShellNotice(standing.State is not ("ending" or "past_due"), text, whom);
    }
}
