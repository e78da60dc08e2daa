using System.Text.Json;
using Microsoft.Extensions.Localization;
using Sankore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Web;
using Sankore.Rbac;

namespace Sankore.Tenancy;

/// <summary>
/// The people of a group: administrators and the operator invite them, and change or end their places (document 003,
/// « ADMIN DE GROUPE crée Utilisateurs »).
/// </summary>
public sealed class Staff(Db db, Invitations invitations, IStringLocalizer<Strings> strings)
{
    private const string Rows = """
        from (
          select m.id, m.id as membership_id, m.user_id, p.display_name as name, p.email, m.school_id, m.role, m.status, m.expires_at,
                 m.version, p.avatar_url, (select i.id from rbac.invitations i
                   join tenancy.invited_places x on x.invitation_id = i.id and x.school_group_id = m.school_group_id
                   where i.user_id = m.user_id order by i.created_at desc limit 1) as invitation_id
          from tenancy.memberships m
          cross join lateral (select x.display_name, x.email, x.avatar_url from public.profiles x where x.id = m.user_id limit 1) p
          where m.school_group_id = @groupId
          union all
          select i.id, null, null, i.email, i.email, x.school_id, x.role, 'active', null, 0, null, i.id
          from tenancy.invited_places x
          join rbac.invitations i on i.id = x.invitation_id and i.user_id is null and i.used_at is null
          where x.school_group_id = @groupId) f
        left join (select id as school_id, name as school from tenancy.schools) s using (school_id)
        """;

    private const string Where = """
        where (@Role::text is null or f.role = @Role) and (@School::uuid is null or f.school_id = @School)
          and util.finds(@Pattern::text, f.name, f.email)
        """;

    private const string Selected = $"""
        select f.membership_id, f.user_id, f.name, f.email, f.school_id, s.school, f.role, f.status, f.expires_at,
          i.invitation_id is not null and i.used_by is null as is_invited, f.version,
          case when i.used_at is null then i.invitation_id end as invitation_id,
              case when i.used_at is null then i.expires_at end as invitation_ends_at, f.avatar_url
        {Rows} left join (select id as invitation_id, used_at, used_by, expires_at from rbac.invitations) i using (invitation_id) {Where}
        """;

    private const string ByName = "f.name collate \"und-x-icu\"";

    // Roles as Memberships lists them. No blank behind their comma: it would part two columns.
    private static readonly PagedSql Pages = new($"select count(*) {Rows} {Where}", Selected,
        ("status", $"f.status, {ByName}"), ("name", ByName), ("email", "f.email"),
        ("role", $"array_position(@roles::text[],f.role), {ByName}"), ("school", $"s.school collate \"und-x-icu\", {ByName}"));

    private const string PlacesSql = $"""
        {Selected} and f.user_id = @userId
        order by f.status, f.school_id nulls first, f.membership_id
        """;

    private const string GroupOfSql = """
        select school_group_id from tenancy.memberships
        where user_id = @userId
          and (school_group_id = any ((select tenancy.my_administered_group_ids())::uuid[])
            or (select rbac.has_permission((select auth.uid()), 'tenancy.read')))
        order by status, id limit 1
        """;

    // The people given whose place is not there yet: those with an account in the group, or made just now.
    private const string PlaceSql = """
        with given as (select * from jsonb_to_recordset(@places::jsonb) as g ("UserId" uuid, "SchoolId" uuid, "Role" text))
        insert into tenancy.memberships as m (id, user_id, school_group_id, school_id, role)
        select gen_random_uuid(), g."UserId", @groupId, g."SchoolId", g."Role" from (select distinct * from given) g
        on conflict on constraint memberships_user_id_school_id_role_unique do update set status = 'active', expires_at = null
          where m.status <> 'active' or m.expires_at is not null
        """;

    private const string InvitedSql = """
        insert into tenancy.invited_places (invitation_id, school_group_id, school_id, role)
        select i, @groupId, case when r <> 'group_admin' then s end, r
        from unnest(@ids::uuid[], @schools::uuid[], @roles::text[]) as x (i, s, r)
        """;

    private const string UpdateSql = """
        update tenancy.memberships m
        set role = coalesce(@Role, m.role), school_id = case
          when coalesce(@Role, m.role) = 'group_admin' then null else coalesce(@SchoolId, m.school_id) end,
          status = coalesce(@Status, m.status),
            expires_at = case when @endless then null else coalesce(@expiresAt, m.expires_at) end
        where m.id = @id and m.version = @version
        """;

    private const string WaitingSql = """
        select i.email, coalesce((select p.display_name from public.profiles p where p.id = i.user_id), i.email) as name
        from tenancy.invited_places x
        join rbac.invitations i on i.id = x.invitation_id and i.used_at is null
        where x.school_group_id = @groupId and x.invitation_id = @invitationId
        """;

    // Asked a second time for the same place, somebody has one invitation, the last.
    private const string SupersedeSql = """
        update rbac.invitations i set used_at = now()
        from tenancy.invited_places x, unnest(@emails::text[], @schools::uuid[], @roles::text[]) as n (email, school_id, role)
        where x.invitation_id = i.id and x.school_group_id = @groupId and i.used_at is null and i.user_id is null
          and i.email_key = n.email and x.role = n.role and x.school_id
            is not distinct from case when n.role <> 'group_admin' then n.school_id end
        """;

    private sealed record Seat(string Role, Guid? SchoolId);

    private sealed record Waiting(string Email, string Name);

    private sealed record Place(Guid UserId, Guid? SchoolId, string Role);

    /// <summary>
    /// The people of a group with their places, and open invitations, a page at a time. Refuses with VALIDATION_FAILED, and with NOT_FOUND
    /// for a group that the caller neither administers nor operates.
    /// </summary>
    public Task<Paged<StaffMember>> List(
        Caller caller, Guid groupId, ListQuery query, StaffFilter filter, CancellationToken ct) => db.Read(caller, async session =>
    {
        await using var grid = await session.Queries(
            $"{Groups.AdministeredSql}; {Pages.For(query.Sort)}",
            new { groupId, filter.Role, filter.School, query.Pattern, query.Limit, query.Offset, roles = Memberships.Roles });
        await grid.One<string>();
        return await grid.Page<StaffMember>(query);
    }, ct);

    /// <summary>A person's places in a group, as far as the caller sees them.</summary>
    public Task<IReadOnlyList<StaffMember>> Places(
        Caller caller, Guid groupId, Guid userId, CancellationToken ct) => db.Read(caller, session =>
        session.Query<StaffMember>(PlacesSql, new { groupId, userId, Role = (string?)null, School = (Guid?)null, Pattern = (string?)null }),
            ct);

    /// <summary>A group of the person's that the caller administers, or sees as the operator; null without one.</summary>
    public Task<Guid?> GroupOf(Caller caller, Guid userId, CancellationToken ct) =>
        db.Read(caller, session => session.Find<Guid?>(GroupOfSql, new { userId }), ct);

    /// <summary>
    /// Invites somebody to a place. Who has no account gets one with the place, and a link to set the password; who works in the group gets
    /// the place; who has an account elsewhere is asked. Refuses with VALIDATION_FAILED, SCHOOL_UNKNOWN, ALREADY_MEMBER, NOT_FOUND,
    /// FORBIDDEN, NOT_YOURS_TO_GIVE (to oneself), SCHOOL_CLOSED, GROUP_CLOSED.
    /// </summary>
    public Task<Admission> Invite(Caller caller, Guid groupId, StaffInput input, CancellationToken ct)
    {
        var person = input.Normalized();
        return db.Run(caller, async session =>
        {
            var admission = await Admit(session, groupId, [person]);
            return admission.Unchanged == 0 ? admission : throw new Refusal(Reason.AlreadyMember);
        }, ct);
    }

    /// <summary>
    /// Changes a place: its role, its school, its state, its end. Refuses with VALIDATION_FAILED, SCHOOL_UNKNOWN, LAST_GROUP_ADMIN,
    /// ALREADY_MEMBER, NOT_FOUND, STALE, FORBIDDEN (one's own).
    /// </summary>
    public Task Update(Caller caller, Guid membershipId, int version, MembershipInput input, CancellationToken ct)
    {
        new Validation().That("role", input.Role is null || Memberships.Roles.Contains(input.Role))
            .That("status", input.Status is null or "active" or "inactive")
            .That("expiresAt", input.ExpiresAt is null || input.ExpiresAt > DateTimeOffset.UtcNow, "period.over").Check();
        return db.Run(caller, async session =>
        {
            var place = await session.Find<Seat>(
                "select role, school_id from tenancy.memberships where id = @membershipId", new { membershipId })
                ?? throw new Refusal(Reason.NotFound);
            new Validation()
                .That(
                    "schoolId", (input.Role ?? place.Role) == "group_admin"
                    || (input.SchoolId ?? place.SchoolId) is not null, "field.required").Check();
            var values = new
            {
                id = membershipId,
                version,
                input.Role,
                input.SchoolId,
                input.Status,
                endless = input.Endless ?? false,
                expiresAt = input.ExpiresAt?.Utc,
            };
            if (await session.Execute(UpdateSql, values) == 0)
            {
                throw Refusal.Untouched(
                    await session.Find<int?>("select version from tenancy.memberships where id = @membershipId", new { membershipId })
                    ?? 0, version);
            }
        }, ct);
    }

    /// <summary>
    /// Sends an invitation to a place of the group again, with a new link; the earlier one ends. Refuses with NOT_FOUND, FORBIDDEN,
    /// NOT_YOURS_TO_GIVE, SCHOOL_CLOSED, GROUP_CLOSED.
    /// </summary>
    public Task SendAgain(Caller caller, Guid groupId, Guid invitationId, CancellationToken ct) => db.Run(caller, async session =>
    {
        var group = await Groups.MayManage(session, groupId);
        var person = await session.One<Waiting>(WaitingSql, new { groupId, invitationId });
        await session.SendMail(Letter(person.Email, person.Name, group, await invitations.Renew(session, invitationId)));
    }, ct);

    /// <summary>Admits many people to a group, in the caller's transaction. Refuses with NOT_FOUND, FORBIDDEN, SCHOOL_UNKNOWN.</summary>
    internal async Task<Admission> Admit(Session session, Guid groupId, IReadOnlyList<StaffInput> people)
    {
        var group = await Groups.MayManage(session, groupId);
        var known = await session.FindAccounts(people.Select(p => p.Email!));
        Guid[] colleagues = [
            .. await session.AsService(
                s => s.Query<Guid>(
                    "select distinct user_id from tenancy.memberships where school_group_id = @groupId and user_id = any (@ids)",
                    new { groupId, ids = known.Values.ToArray() }))];
        List<NewAccount> made = [
            .. people.DistinctBy(p => Key(p)).Where(p => !known.ContainsKey(Key(p)))
            .Select(p => new NewAccount(Guid.CreateVersion7(), p.Email!, p.Name!, p.Phone))];
        await session.CreateAccounts(made);
        var ours = made.ToDictionary(m => m.NormalizedEmail, m => m.Id);
        foreach (var (email, id) in known.Where(k => colleagues.Contains(k.Value)))
        {
            ours[email] = id;
        }
        Place[] places = [.. people.Where(p => ours.ContainsKey(Key(p))).Select(p => new Place(ours[Key(p)], p.SchoolId, p.Role!))];
        var placed = places.Length == 0 ? 0
            : await session.AsService(s => s.Execute(PlaceSql, new { groupId, places = JsonSerializer.Serialize(places) }));
        var strangers = people.Where(p => !ours.ContainsKey(Key(p))).ToList();
        await session.AsService(s => s.Execute(
            SupersedeSql,
            new
            {
                groupId,
                emails = strangers.Select(Key).ToArray(),
                schools = strangers.Select(p => p.SchoolId ?? Guid.Empty).ToArray(),
                roles = strangers.Select(p => p.Role).ToArray(),
            }));
        var newcomers = people.DistinctBy(p => Key(p)).Where(p => made.Exists(m => m.Email == p.Email)).ToList();
        await Write(session, groupId, group, [.. newcomers, .. strangers], ours);
        return new Admission(made.Count, placed - newcomers.Count, strangers.Count, places.Length - placed);
    }

    private async Task Write(Session session, Guid groupId, string group, IReadOnlyList<StaffInput> people, Dictionary<string, Guid> ours)
    {
        if (people.Count == 0)
        {
            return;
        }
        List<InvitationOf> issued =
            [.. people.Select(p => new InvitationOf(Guid.CreateVersion7(), p.Email!, ours.TryGetValue(Key(p), out var id) ? id : null))];
        var links = await invitations.Issue(session, issued);
        await session.AsService(s => s.Execute(InvitedSql, new
        {
            groupId,
            ids = issued.Select(i => i.Id).ToArray(),
            schools = people.Select(p => p.SchoolId ?? Guid.Empty).ToArray(),
            roles = people.Select(p => p.Role).ToArray(),
        }));
        await session.SendMails([.. people.Zip(links, (p, link) => Letter(p.Email!, p.Name!, group, link))]);
    }

    private Mail Letter(string email, string name, string group, Uri link) =>
        new(email, strings["staff.mail.subject", group], strings["staff.mail.text", name, group, link]);

    private static string Key(StaffInput person) => Addresses.Key(person.Email!);
}
