namespace Sankore.Tests.Tenancy;

/// <summary>The staff of the network's schools, and random changes of who has what.</summary>
public sealed partial class FeedNetwork
{
    private const int Administrators = 4;
    private const string Switched = "case status when 'active' then 'inactive' else 'active' end";

    /// <summary>Where each of the staff works: a school and its group have the id of the plan that they begin on.</summary>
    private static readonly int[][] StaffGroups = [[0], [0], [1], [2], [0, 1]];

    /// <summary>A random change of a place, an assignment, a subscription, a school or a group.</summary>
    private string RightsChange() => _random.Next(14) switch
    {
        0 or 1 or 2 => Assign(),
        3 or 4 => $"update tenancy.user_module_permissions set is_active = false where user_id = '{Staff()}' and {Target()}",
        5 =>
        $"update tenancy.user_module_permissions set expires_at = now() - interval '1 second' where user_id = '{Staff()}' and {Target()}",
        6 =>
            $"update tenancy.user_module_permissions set is_active = not is_active where module_id is distinct from '{_marker}'"
            + $" and school_group_id = '{One(_plans)}'",
        7 or 8 => $"update tenancy.subscriptions set plan_id = '{One(_plans)}' where school_group_id = '{One(_plans)}'",
        9 =>
            $"update tenancy.subscriptions set status = '{One(["trialing", "active", "past_due", "suspended"])}'"
            + $" where school_group_id = '{One(_plans)}'",
        10 =>
            $"update tenancy.memberships set status = {Switched} where user_id = '{One(People).Id}' and school_group_id = '{One(_plans)}'",
        11 =>
            $"update tenancy.memberships set expires_at = case when expires_at is null then now() - interval '1 second' end"
            + $" where user_id = '{One(People).Id}' and school_group_id = '{One(_plans)}'",
        12 => $"update tenancy.schools set status = {Switched} where id = '{One(_plans)}'",
        _ => $"update tenancy.school_groups set status = {Switched} where id = '{One(_plans)}'",
    };

    /// <summary>Everybody works again where they do, on some plan.</summary>
    public IEnumerable<string> Reopen() =>
        from plan in _plans
        from change in (string[])
        [
            $"update tenancy.school_groups set status = 'active' where id = '{plan}'",
            $"update tenancy.schools set status = 'active' where id = '{plan}'",
            $"update tenancy.subscriptions set status = 'active' where school_group_id = '{plan}'",
            $"update tenancy.memberships set status = 'active', expires_at = null where school_group_id = '{plan}'",
        ]
        select change;

    // The marker is everybody's, so that all can be waited for.
    private IEnumerable<string> Hire(Guid person, Guid school) =>
    [
        $"insert into tenancy.memberships (id, user_id, school_group_id, school_id, role)"
            + $" values (gen_random_uuid(), '{person}', '{school}', '{school}', 'teacher')",
        $"insert into tenancy.user_module_permissions (user_id, school_group_id, school_id, module_id)"
        + $" values ('{person}', '{school}', '{school}', '{_marker}')",
    ];

    private string Assign()
    {
        var (school, module) = (One(_plans), _random.Next(3) > 0);
        var (table, column, id) = module ? ("modules", "module_id", One(_modules))
            : ("business_categories", "category_id", One(_categories));
        return $"insert into tenancy.user_module_permissions (user_id, school_group_id, school_id, {column}) select '{Staff()}', "
            + $"'{school}', {(_random.Next(2) == 0 ? "null" : $"'{school}'")}, id from tenancy.{table} where id = '{id}' "
            + "on conflict on constraint user_module_permissions_target_unique do update set is_active = true, expires_at = null";
    }

    private string Target() => _random.Next(2) == 0 ? $"category_id = '{One(_categories)}'"
        : $"(module_id <> '{_marker}' and module_id in ('{One(_modules)}', '{One(_modules)}', '{One(_modules)}'))";

    private Guid Staff() => People[Administrators + _random.Next(StaffGroups.Length)].Id;
}
