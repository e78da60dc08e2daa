using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Ui;

namespace Sankore.Tenancy;

/// <summary>Reads what is around a person's pages: position first, then name, place, plan and menu, in one round trip.</summary>
public sealed class TenancyShell(Db db)
{
    private const string Sql = "select live.position(); select email, display_name from public.profiles where id = (select auth.uid());"
        + Me.MembershipsSql + ";" + Me.PlanSql + ";" + Me.MenuSql;

    private sealed record Person(string Email, string DisplayName);

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
                [.. g.Select(m => new ShellLink(m.Id, m.Name, m.Description, m.Icon, m.Route, m.Priority))]));
        return new ShellContent(position, person.DisplayName, person.Email, membership?.SchoolName ?? membership?.GroupName,
            membership?.SchoolName is null ? null : membership.GroupName, membership is null ? null
            : "role." + membership.Role, plan?.Name, memberships.Exists(m => m.Role == "group_admin"), [.. sections]);
    }, ct);
}
