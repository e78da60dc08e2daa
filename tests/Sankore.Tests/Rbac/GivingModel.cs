using Dapper;
using Npgsql;

namespace Sankore.Tests.Rbac;

/// <summary>Something that somebody tries to give.</summary>
/// <param name="Way">What kind of giving it is.</param>
/// <param name="IsAllowed">What the model says of it.</param>
internal sealed record Attempt(string Way, Giver By, string Words, bool IsAllowed, string Sql, object Args, Action Done);

/// <summary>Who gives: a person, or a key.</summary>
internal sealed record Giver(Guid? Person, Guid? Key);

/// <summary>People, roles, keys, groups and invitations, as a model that knows only who has what, and as rows.</summary>
internal sealed class GivingModel(World world, Random random, string[] permissions)
{
    private sealed record Key(Guid Id, string[] Permissions, Giver By)
    {
        public bool IsRevoked { get; set; }
    }

    private sealed record Invited(Guid Id, Giver By, string? Role, Guid? Group);

    private readonly Dictionary<string, string[]> _roles = [];
    private readonly Dictionary<Guid, HashSet<string>> _held = [];
    private readonly List<Key> _keys = [];
    private readonly List<Invited> _invitations = [];
    private readonly List<Guid> _groups = [];
    private readonly HashSet<(Guid Person, Guid Group)> _administrators = [];
    private readonly Dictionary<Guid, Guid> _moduleOf = [];

    /// <summary>The people.</summary>
    public List<Guid> People { get; } = [];

    /// <summary>Makes the rows.</summary>
    public async Task Create()
    {
        for (var n = 0; n < 6; n++)
        {
            var name = $"r{n}{Catalogue.Word()}";
            _roles[name] = [.. permissions.Where(_ => random.Next(2) == 0)];
            await world.Execute("""
                insert into rbac.roles (role_name, description, sort_order) values (@name, 'Any', 500);
                insert into rbac.role_permissions (role_id, permission_id) select r.id, p.id from rbac.roles r, rbac.permissions p
                where r.role_name = @name and p.permission_key = any (@keys)
                """, new { name, keys = _roles[name] });
        }
        for (var n = 0; n < 5; n++)
        {
            await NewPerson();
        }
        for (var n = 0; n < 3; n++)
        {
            await NewGroup();
        }
    }

    /// <summary>Somebody gets or loses a role, a key, a group.</summary>
    public async Task Change()
    {
        var person = Any(People);
        switch (random.Next(6))
        {
            case 0 when _keys.Count > 0:
                var key = Any(_keys);
                key.IsRevoked = true;
                await world.Execute("update rbac.api_keys set revoked_at = coalesce(revoked_at, now()) where id = @Id", new { key.Id });
                break;
            case 1:
                var group = Any(_groups);
                var is_ = !_administrators.Remove((person, group)) && _administrators.Add((person, group));
                await world.Execute("""
                    insert into tenancy.memberships (id, user_id, school_group_id, role, status)
                    values (gen_random_uuid(), @person, @group, 'group_admin', @status)
                    on conflict on constraint memberships_user_id_school_id_role_unique do update set status = excluded.status
                    """, new { person, group, status = is_ ? "active" : "inactive" });
                break;
            case 2 or 3:
                var role = Any([.. _roles.Keys]);
                var has = !_held[person].Remove(role) && _held[person].Add(role);
                await world.Execute("""
                    insert into rbac.user_roles (user_id, role_id, is_active) select @person, id, @has from rbac.roles
                        where role_name = @role
                    on conflict on constraint user_roles_user_id_role_id_unique do update set is_active = excluded.is_active
                    """, new { person, role, has });
                break;
        }
    }

    /// <summary>Somebody gives something.</summary>
    public Attempt Attempt()
    {
        var by = _keys.Count > 0 && random.Next(2) == 0 ? new Giver(null, Any(_keys).Id) : new Giver(Any(People), null);
        return random.Next(5) switch
        {
            0 => GiveKey(by),
            1 => GiveRole(by),
            2 => Invite(by),
            3 => GivePlace(by),
            _ =>
            Assign(new Giver(Any(People), null))
        };
    }

    /// <summary>Tries it; what the database said against it, or null.</summary>
    public async Task<string?> Try(Attempt attempt)
    {
        await using var connection = new NpgsqlConnection(world.AppConnection);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var claims = attempt.By.Key is { } key ? $$"""{"key":"{{key}}"}""" : $$"""{"sub":"{{attempt.By.Person}}"}""";
        try
        {
            await connection.ExecuteAsync(
                "select set_config('role', 'service_role', true), set_config('request.jwt.claims', @claims, true)", new { claims });
            await connection.ExecuteAsync(attempt.Sql, attempt.Args);
            await transaction.CommitAsync();
            attempt.Done();
            return null;
        }
        catch (PostgresException e) when (e.SqlState is "SK001" or "42501")
        {
            return e.MessageText;
        }
    }

    /// <summary>Whether all that was given before is worth at this moment what the model says.</summary>
    public async Task Compare()
    {
        var worth = (await world.Rows<(Guid, string[])>("select id, rbac.permissions_of_key(id) from rbac.api_keys")).ToDictionary(k =>
            k.Item1, k => k.Item2);
        foreach (var key in _keys)
        {
            worth[key.Id].ShouldBe(Has(new Giver(null, key.Id)), ignoreOrder: true);
        }
        var standing = (await world.Rows<Guid>(
            "select i.id from rbac.invitations i where rbac.invitation_stands(i) and tenancy.place_stands(i)")).ToHashSet();
        foreach (var invited in _invitations)
        {
            standing.Contains(invited.Id).ShouldBe(
                invited.Role is { } role ? MayInvite(invited.By, role) : Keeps(invited.By, invited.Group!.Value), invited.ToString());
        }
    }

    private Attempt GiveKey(Giver by)
    {
        var (id, given) = (Guid.CreateVersion7(), permissions.Where(_ => random.Next(3) == 0).DefaultIfEmpty(permissions[0]).ToArray());
        return new Attempt("key", by, $"{Name(by)} makes a key of {string.Join(',', given)}",
            Has(by).Contains("identity.manage_keys") && given.All(Has(by).Contains), """
            insert into rbac.api_keys (id, name, key_hash, key_prefix, permissions) values (@id, 'Key', decode(replace(@id::text, '-', ''),
                'hex'), 'sk_', @given)
            """, new { id, given }, () => _keys.Add(new Key(id, given, by)));
    }

    private Attempt GiveRole(Giver by)
    {
        var (person, role) = (Any(People), Any([.. _roles.Keys]));
        return new Attempt("role", by, $"{Name(by)} grants {role} to {person}",
            Has(by).Contains("rbac.grant") && person != by.Person && _roles[role].All(Has(by).Contains),
            "select rbac.grant_role(@person, @role)", new { person, role }, () => _held[person].Add(role));
    }

    private Attempt Invite(Giver by)
    {
        var id = Guid.CreateVersion7();
        var (role, group) = random.Next(2) == 0 ? (Any([.. _roles.Keys]), (Guid?)null) : (null, Any(_groups));
        return new Attempt("invitation", by, $"{Name(by)} invites into {role ?? group.ToString()}",
            role is not null ? MayInvite(by, role) : Keeps(by, group!.Value), """
            insert into rbac.invitations (id, email, role_name, token_hash, expires_at)
            values (@id, @id || '@example.org', coalesce(@role, 'member'), decode(replace(@id::text, '-', ''), 'hex'),
                now() + interval '7 days');
            insert into tenancy.invited_places (invitation_id, school_group_id, role) select @id, @group, 'group_admin'
                where @group::uuid is not null
            """, new { id, role, group }, () => _invitations.Add(new Invited(id, by, role, group)));
    }

    private Attempt GivePlace(Giver by)
    {
        var (person, group) = (Any(People), Any(_groups));
        return new Attempt("place", by, $"{Name(by)} places {person} in {group}", _administrators.Contains((person, group)) || Keeps(by,
            group) && person != by.Person, """
            insert into tenancy.memberships (id, user_id, school_group_id, role) values (gen_random_uuid(), @person, @group, 'group_admin')
            on conflict on constraint memberships_user_id_school_id_role_unique do update set status = 'active'
            """, new { person, group }, () => _administrators.Add((person, group)));
    }

    private Attempt Assign(Giver by)
    {
        var (person, group) = (Any(People), Any(_groups));
        // Who has a place in the group is the model's administrators; a module of the group's plan goes to those alone.
        return new Attempt("assignment", by, $"{Name(by)} assigns to {person} in {group}",
            _administrators.Contains((by.Person!.Value, group)) && person != by.Person && _administrators.Contains((person, group)), """
            insert into tenancy.user_module_permissions (user_id, school_group_id, module_id, assigned_by) values (@person, @group, @module,
                @by)
            on conflict on constraint user_module_permissions_target_unique do update set is_active = true,
                assigned_by = excluded.assigned_by
            """, new { person, group, module = _moduleOf[group], by = by.Person }, () => { });
    }

    private HashSet<string> Has(Giver giver)
    {
        if (giver.Person is { } person)
        {
            return [.. _held[person].SelectMany(role => _roles[role])];
        }
        var key = _keys.Single(k => k.Id == giver.Key);
        return key.IsRevoked ? [] : [.. key.Permissions.Intersect(Has(key.By))];
    }

    private bool MayInvite(Giver by, string role) =>
        new[] { "identity.invite", "rbac.grant" }.Concat(_roles[role]).All(Has(by).Contains);

    private bool Keeps(Giver by, Guid group) =>
        Has(by).Contains("tenancy.manage") || by.Person is { } person && _administrators.Contains((person, group));

    private async Task NewPerson()
    {
        var id = Guid.CreateVersion7();
        await world.Execute("""
            insert into auth.users (id, email, normalized_email, security_stamp, concurrency_stamp)
            values (@id, @id || '@example.org', util.address_key(@id || '@example.org'), '1', '1');
            insert into public.profiles (id, email, display_name) values (@id, @id || '@example.org', 'Somebody')
            """, new { id });
        People.Add(id);
        _held[id] = [];
    }

    private async Task NewGroup()
    {
        var id = Guid.CreateVersion7();
        await world.Execute("""
            insert into tenancy.business_categories (id, name, slug) values (@id, 'Category', @id::text);
            insert into tenancy.modules (id, code, name, category_id, is_built) values (@id, @id::text, 'Module', @id, true);
            insert into tenancy.subscription_plans (id, name, slug) values (@id, 'Plan', @id::text);
            insert into tenancy.plan_modules (id, plan_id, module_id) values (@id, @id, @id);
            insert into tenancy.school_groups (id, name, code) values (@id, 'Group', @id::text);
            insert into tenancy.subscriptions (id, school_group_id, plan_id, starts_at) values (@id, @id, @id, now())
            """, new { id });
        _groups.Add(id);
        _moduleOf[id] = id;
    }

    private string Name(Giver by) => $"{(by.Person is null ? "key" : "person")} with {string.Join(',', Has(by).Order())}";

    private T Any<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];
}
