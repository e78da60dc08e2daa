using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Tenancy;

/// <summary>The subscriptions of groups: at most one of a group is live (a partial unique index says so).</summary>
public sealed class Subscriptions(Db db, TimeProvider time)
{
    private const string Columns = """
        s.id, s.school_group_id as group_id, s.plan_id,
        tenancy.plan_name(s.plan_id) as plan,
        s.status, s.billing_period, s.starts_at, s.ends_at, s.auto_renew, s.cancelled_at, s.version
        """;

    private const string OneSql = $"select {Columns} from tenancy.subscriptions s where s.id = @id";

    private const string OfSql = $"""
        select {Columns} from tenancy.subscriptions s
        where s.school_group_id = @groupId order by tenancy.is_live(s.status) desc, s.starts_at desc, s.id desc limit 100
        """;

    internal const string InsertSql = $"""
        insert into tenancy.subscriptions as s (id, school_group_id, plan_id, status, billing_period, starts_at, ends_at, auto_renew)
        select @id, g.id, @PlanId, @Status, @BillingPeriod, @startsAt, coalesce(@endsAt, tenancy.next_due(
          @startsAt::timestamptz at time zone g.time_zone, @BillingPeriod, g.time_zone, greatest(@startsAt, now()))), @AutoRenew
        from tenancy.school_groups g where g.id = @groupId
        returning {Columns}
        """;

    private const string UpdateSql = $"""
        update tenancy.subscriptions s
        set plan_id = @PlanId, status = @Status, billing_period = @BillingPeriod, starts_at = @startsAt, ends_at = @endsAt,
          auto_renew = @AutoRenew,
            cancelled_at = case when @Status = 'cancelled' then coalesce(s.cancelled_at, now()) end
        where s.id = @id and s.version = @version
        returning {Columns}
        """;

    private const string HistorySql = """
        select a.created_at as at, coalesce((select p.display_name from public.profiles p where p.id = a.user_id), '') as by,
               tenancy.plan_name((a.after ->> 'plan_id')::uuid) as plan,
               a.before ->> 'status' as before, a.after ->> 'status' as after, (a.after ->> 'ends_at')::timestamptz as ends_at
        from tenancy.subscriptions s
        join audit.audit_logs a on a.table_name = 'tenancy.subscriptions' and a.record_id = s.id::text
        where s.school_group_id = @groupId and a.after is not null
          and (a.before is null or (a.before ->> 'status', a.before ->> 'plan_id', a.before ->> 'ends_at')
              is distinct from (a.after ->> 'status', a.after ->> 'plan_id', a.after ->> 'ends_at'))
        order by a.id desc limit 50
        """;

    /// <summary>A group's subscriptions, the live one first, as far as the caller sees them.</summary>
    public Task<IReadOnlyList<Subscription>> Of(Caller caller, Guid groupId, CancellationToken ct) =>
        db.Read(caller, session => session.Query<Subscription>(OfSql, new { groupId }), ct);

    /// <summary>What happened to a group's subscriptions, for whoever reads the audit log; nothing for others.</summary>
    public Task<IReadOnlyList<SubscriptionEvent>> History(Caller caller, Guid groupId, CancellationToken ct) =>
        db.Read(caller, session => session.Query<SubscriptionEvent>(HistorySql, new { groupId }), ct);

    /// <summary>
    /// Subscribes a group to a plan. Refuses with VALIDATION_FAILED, SUBSCRIPTION_EXISTS, PLAN_UNKNOWN, NOT_FOUND, FORBIDDEN.
    /// </summary>
    public Task<Subscription> Create(Caller caller, Guid groupId, SubscriptionInput input, CancellationToken ct)
    {
        var subscription = input.ForNew(Moment.Of(time.GetUtcNow())!.Value);
        return db.Run(caller, async session =>
        {
            await session.One<string>("select name from tenancy.school_groups where id = @groupId", new { groupId });
            return await session.One<Subscription>(InsertSql, Values(subscription, Guid.CreateVersion7(), groupId, 0));
        }, ct);
    }

    /// <summary>
    /// Changes a subscription: its plan, its state, its period. Refuses with VALIDATION_FAILED, TRANSITION_INVALID, SUBSCRIPTION_EXISTS,
    /// PLAN_UNKNOWN, NOT_FOUND, STALE, FORBIDDEN.
    /// </summary>
    public Task<Subscription> Update(
        Caller caller, Guid id, int version, SubscriptionInput input, CancellationToken ct) => db.Run(caller, async session =>
    {
        var current = await session.One<Subscription>(OneSql, new { id });
        if (current.Version != version)
        {
            throw new Refusal(Reason.Stale, current.Plan);
        }
        var change = input.ForChange(current, time.GetUtcNow());
        return await session.Find<Subscription>(UpdateSql, Values(change, id, current.GroupId, version))
            ?? throw Refusal.Untouched((await session.One<Subscription>(OneSql, new { id })).Version, version, current.Plan);
    }, ct);

    internal static object Values(SubscriptionInput s, Guid id, Guid groupId, int version) => new
    {
        id,
        groupId,
        version,
        s.PlanId,
        s.Status,
        s.BillingPeriod,
        startsAt = s.StartsAt!.Value.Utc,
        endsAt = s.EndsAt?.Utc,
        s.AutoRenew,
    };
}
