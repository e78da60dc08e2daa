using System.Globalization;
using Microsoft.AspNetCore.Identity;
using Npgsql;
using NpgsqlTypes;
using Sankore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;

namespace Sankore.Demo;

/// <summary>
/// The demo network, loaded by COPY into an empty database: <c>small</c> is 5 groups, 60 schools, 600 people; <c>full</c> is 500 groups,
/// 7,000 schools, 100,000 people (document 000's figures). Every account has <see cref="PasswordRules.Demo"/>.
/// </summary>
public static class DemoNetwork
{
    private sealed record Size(int Groups, int Schools, int People);

    private static readonly Dictionary<string, Size> Sizes = new() { ["small"] = new(5, 60, 600), ["full"] = new(500, 7_000, 100_000) };

    /// <summary>The accounts to try, as <c>./run</c> prints them.</summary>
    public static string Accounts => $"""

          Demo accounts, all with the password {PasswordRules.Demo}:
            super@sankore.test          the platform's operator
            admin.g001@sankore.test     admin of group 1 (plan Premium); g002 (Essentiel) …
            head.s0001@sankore.test     head of school 1 (group 1); head.s0002 (group 2) …
            teacher.s0001.1@sankore.test
        """;

    /// <summary>Whether nobody and nothing is there yet.</summary>
    public static async Task<bool> IsEmpty(string connectionString, CancellationToken ct)
    {
        await using var connection = await Open(connectionString, ct);
        await using var command = new NpgsqlCommand(
            "select not exists (select 1 from auth.users) and not exists (select 1 from tenancy.subscription_plans)"
            + " and not exists (select 1 from tenancy.modules where code <> 'campagnes')", connection);
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Whether the demo network is what the database holds.</summary>
    public static Task<bool> IsLoaded(Db db, CancellationToken ct) =>
        db.Read(Caller.Service, session => session.Value<bool>("select exists (select 1 from auth.users where is_demo)"), ct);

    /// <summary>Loads the network in one transaction.</summary>
    /// <param name="connectionString">The administrator's.</param>
    /// <param name="size"><c>small</c> or <c>full</c>.</param>
    /// <param name="elsewhere">Whether modules without pages are applications elsewhere; otherwise they are not built yet.</param>
    /// <param name="progress">Told rows done and rows in all.</param>
    /// <param name="ct">Cancels; nothing is kept then.</param>
    public static async Task Load(string connectionString, string size, bool elsewhere, Action<int, int> progress, CancellationToken ct)
    {
        var (groups, schools, people) = Sizes[size];
        await using var connection = await Open(connectionString, ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var loader = new Loader(connection, new DemoCast(groups, schools, people, elsewhere), progress, ct);
        await loader.Run();
        await transaction.CommitAsync(ct);
        await using var analyze = new NpgsqlCommand(
            "analyze auth.users, public.profiles, rbac.user_roles, tenancy.school_groups, tenancy.schools, tenancy.subscriptions, "
            + "tenancy.memberships, tenancy.modules, tenancy.plan_modules, tenancy.user_module_permissions", connection);
        await analyze.ExecuteNonQueryAsync(ct);
    }

    private static async Task<NpgsqlConnection> Open(string connectionString, CancellationToken ct)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 0 };
        builder.Database ??= "sankore";
        var connection = new NpgsqlConnection(builder.ConnectionString);
        await connection.OpenAsync(ct);
        await using var role = new NpgsqlCommand($"set role {DatabaseSetup.OwnerRole}", connection);
        await role.ExecuteNonQueryAsync(ct);
        return connection;
    }

    private sealed class Loader(NpgsqlConnection connection, DemoCast cast, Action<int, int> progress, CancellationToken ct)
    {
        // Their triggers tell people who are connected and log who did it; here nobody is, and nobody did.
        private static readonly string[] Tables =
        [
            "auth.users", "public.profiles", "rbac.user_roles", "tenancy.business_categories", "tenancy.modules",
            "tenancy.subscription_plans", "tenancy.plan_modules",
            "tenancy.plan_categories", "tenancy.school_groups", "tenancy.subscriptions", "tenancy.schools", "tenancy.memberships",
            "tenancy.user_module_permissions",
        ];

        private int _done;
        private int Total => cast.RowCount;

        public async Task Run()
        {
            await Execute(string.Join(';', Tables.Select(t => $"alter table {t} disable trigger user")));
            await CopyCatalogue();
            await CopyGroups();
            await CopyPeople();
            await Execute("""
                insert into rbac.user_roles (user_id, role_id, reason) select p.id, r.id, 'demo'
                from public.profiles p
                join rbac.roles r on r.role_name = case when p.email = 'super@sankore.test' then 'admin' else 'member' end;
                insert into rbac.role_grants_log (user_id, role_id, operation, reason) select user_id, role_id, 'GRANT', 'demo'
                from rbac.user_roles
                """);
            await Execute(string.Join(';', Tables.Select(t => $"alter table {t} enable trigger user")));
            await Execute("select tenancy.remember_audiences()");
        }

        private async Task CopyCatalogue()
        {
            // The catalogue that a new database begins with; the network's own has all of it.
            await Execute("delete from tenancy.modules; delete from tenancy.business_categories");
            await Copy("tenancy.business_categories (id, name, slug, description, icon, color, sort_order, name_en)",
                cast.Categories, c => [c.Id, c.Name, c.Slug, c.Description, c.Icon, c.Color, c.SortOrder, c.NameEn]);
            await Copy(
                "tenancy.modules (id, code, name, description, category_id, kind, priority, status, is_built, icon, route, name_en)",
                cast.Modules,
                m => [m.Id, m.Code, m.Name, m.Description, m.CategoryId, m.Kind, m.Priority, m.Status, m.IsBuilt, m.Icon, m.Route,
                    m.NameEn]);
            await Copy("tenancy.subscription_plans (id, name, slug, description, monthly_price, yearly_price, sort_order, name_en)",
                cast.Plans, p => [p.Id, p.Name, p.Slug, p.Description, p.MonthlyPrice, p.MonthlyPrice * 10, p.SortOrder, p.NameEn]);
            await Copy("tenancy.plan_categories (id, plan_id, category_id)", cast.PlanCategories, l => [l.Id, l.PlanId, l.OtherId]);
            await Copy("tenancy.plan_modules (id, plan_id, module_id)", cast.PlanModules, l => [l.Id, l.PlanId, l.OtherId]);
        }

        private async Task CopyGroups()
        {
            await Copy(
                "tenancy.school_groups (id, name, code, city, contact_email)", cast.Groups,
                g => [g.Id, g.Name, g.Code, g.City, $"contact@{g.Code}.sankore.test"]);
            await Copy("tenancy.subscriptions (id, school_group_id, plan_id, status, starts_at, ends_at)", cast.Groups,
                g => [g.SubscriptionId, g.Id, g.PlanId, "active", cast.Start, cast.Start.AddYears(1)]);
            await Copy("tenancy.schools (id, school_group_id, subscription_id, name, code, level, city, active_modules)", cast.Schools,
                s => [
                    s.Id, s.Group.Id, s.Group.SubscriptionId, s.Name, s.Code, s.Level, s.City,
                    new Json(cast.ActiveModules(s.Group.PlanId))]);
        }

        private async Task CopyPeople()
        {
            var hash = new PasswordHasher<Account>().HashPassword(new Account(), PasswordRules.Demo);
            await Copy(
                "auth.users (id, email, normalized_email, email_confirmed, password_hash, security_stamp, concurrency_stamp, is_demo)",
                cast.People,
                p => [p.Id, p.Email, Addresses.Key(p.Email), true, hash, p.Id.ToString("N"), p.Id.ToString("N"), true]);
            await Copy("public.profiles (id, email, display_name, city)", cast.People, p => [p.Id, p.Email, p.Name, p.City]);
            await Copy("tenancy.memberships (id, user_id, school_group_id, school_id, role)", cast.People.Where(p => p.Role is not null),
                p => [Guid.CreateVersion7(), p.Id, p.GroupId!.Value, p.SchoolId, p.Role!]);
            await Copy(
                "tenancy.user_module_permissions (user_id, school_group_id, school_id, category_id, can_write, can_delete, can_export)",
                cast.Assignments,
                a => [
                    a.Person.Id, a.Person.GroupId!.Value, a.Person.SchoolId, a.CategoryId, a.CanWrite,
                    a.CanWrite && a.Person.Role == "head", a.CanWrite]);
        }

        private async Task Copy<T>(string target, IEnumerable<T> rows, Func<T, object?[]> values)
        {
            // PostgreSQL does not COPY into a table under row level security: a temporary one takes the rows.
            var (table, columns) =
                (target[..target.IndexOf(' ', StringComparison.Ordinal)], target[(target.IndexOf('(', StringComparison.Ordinal) + 1)..^1]);
            await Execute($"create temporary table copied on commit drop as select {columns} from {table} with no data");
            await using (var writer = await connection.BeginBinaryImportAsync($"copy copied from stdin (format binary)", ct))
            {
                foreach (var row in rows)
                {
                    await writer.StartRowAsync(ct);
                    foreach (var value in values(row))
                    {
                        await Write(writer, value);
                    }
                    if (++_done % 2000 == 0)
                    {
                        progress(_done, Total);
                    }
                }
                await writer.CompleteAsync(ct);
            }
            await Execute($"insert into {target} select * from copied; drop table copied");
            progress(_done, Total);
        }

        private Task Write(NpgsqlBinaryImporter writer, object? value) => value switch
        {
            null => writer.WriteNullAsync(ct),
            Guid v => writer.WriteAsync(v, NpgsqlDbType.Uuid, ct),
            int v => writer.WriteAsync(v, NpgsqlDbType.Integer, ct),
            long v => writer.WriteAsync(v, NpgsqlDbType.Bigint, ct),
            bool v => writer.WriteAsync(v, NpgsqlDbType.Boolean, ct),
            DateTime v => writer.WriteAsync(v, NpgsqlDbType.TimestampTz, ct),
            Json v => writer.WriteAsync(v.Text, NpgsqlDbType.Jsonb, ct),
            _ => writer.WriteAsync(Convert.ToString(value, CultureInfo.InvariantCulture)!, NpgsqlDbType.Text, ct),
        };

        private async Task Execute(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(ct);
        }

        private sealed record Json(string Text);
    }
}
