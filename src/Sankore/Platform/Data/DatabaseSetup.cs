using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Sankore.Platform.Data;

/// <summary>Something that only the operator can put right; the message is one sentence that says what to do.</summary>
public sealed class OperatorException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Makes the roles and the database on a PostgreSQL server, applies the schema, and gives the connection string that the program
/// works with: the login <c>sankore_app</c>, which owns nothing and bypasses nothing.
/// </summary>
public static class DatabaseSetup
{
    /// <summary>The login of the running program.</summary>
    public const string AppRole = "sankore_app";

    /// <summary>The role that owns every object.</summary>
    public const string OwnerRole = "sankore_owner";

    private const int OldestVersion = 15;
    private const int Attempts = 12;

    /// <summary>Prepares the database that <paramref name="connectionString"/> names (default database: <c>sankore</c>).</summary>
    /// <param name="connectionString">The administrator's, or the program's own.</param>
    /// <param name="modules">Whose schemas, in order.</param>
    /// <param name="say">Told what is being done.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>The connection string of the program's own login.</returns>
    /// <exception cref="OperatorException">The server is unreachable, too old, or the login may not create what is needed.</exception>
    public static async Task<string> Prepare(
        string connectionString, IReadOnlyList<string> modules, Action<string> say, CancellationToken ct)
    {
        var admin = Parse(connectionString);
        var app = AppConnection(admin);
        try
        {
            await SetUp(admin, app, modules, say, ct);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.TooManyConnections)
        {
            throw new OperatorException(
                $"PostgreSQL at {Where(admin)} does not take connections now ({e.MessageText}): try again in a moment.", e);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new OperatorException(
                $"The database login '{admin.Username}' may not create what Sankoré needs ({e.MessageText}): " +
                $"give it CREATEROLE and CREATEDB (alter role {admin.Username} createrole createdb), or start once with an "
                + $"administrator's login in SANKORE_DATABASE.", e);
        }
        return app;
    }

    private static async Task SetUp(
        NpgsqlConnectionStringBuilder admin, string app, IReadOnlyList<string> modules, Action<string> say, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var connection = await OpenOrCreate(admin, say, ct);
                if (await Scalar<string>(connection, "select current_user::text", ct) == AppRole)
                {
                    await SchemaRunner.Verify(connection, modules, ct);
                    return;
                }
                await CreateRoles(connection, app, ct);
                await SchemaRunner.Apply(connection, modules, say, ct);
                return;
            }
            catch (PostgresException e) when (
                attempt < Attempts && e.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation
                or PostgresErrorCodes.ObjectInUse or PostgresErrorCodes.InternalError or PostgresErrorCodes.CannotConnectNow)
            {
                // Roles and databases belong to the whole server: another node makes them at this moment, or the server is starting.
                await Task.Delay(TimeSpan.FromMilliseconds(200 * attempt), ct);
            }
        }
    }

    private static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = "sankore-setup", Pooling = false };
            builder.Database ??= "sankore";
            // Of several hosts the program needs the primary, whichever that is at the moment; of one, Npgsql refuses to be told.
            builder.TargetSessionAttributes = builder.Host?.Contains(',', StringComparison.Ordinal) == true ? "primary" : null;
            return builder;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new OperatorException(
                $"SANKORE_DATABASE is not a connection string ({e.Message}): write it like "
                + $"Host=127.0.0.1;Username=postgres;Password=…;Database=sankore.", e);
        }
    }

    /// <summary>
    /// The program's login on the same server. Its password is derived from the administrator's, so that any node given the same
    /// SANKORE_DATABASE has it.
    /// </summary>
    private static string AppConnection(NpgsqlConnectionStringBuilder admin)
    {
        var app = new NpgsqlConnectionStringBuilder(admin.ConnectionString)
        {
            ApplicationName = "sankore",
            Pooling = true,
            MaxPoolSize = Math.Max(admin.MaxPoolSize == 100 ? 40 : admin.MaxPoolSize, 4),
            MaxAutoPrepare = 200,
            AutoPrepareMinUsages = 2,
            // All state is local to its transaction, so there is nothing to reset.
            NoResetOnClose = true,
            // A connection whose command was cancelled is not used again: nobody reads what was meant for somebody else.
            CancellationTimeout = -1,
            // How long a host is held for what it was last: after a failover nobody is refused much longer than that.
            HostRecheckSeconds = admin.HostRecheckSeconds == 10 ? 1 : admin.HostRecheckSeconds,
        };
        if (admin.Username != AppRole)
        {
            app.Username = AppRole;
            app.Password = admin.Password is { Length: > 0 } secret
                ? Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(AppRole)))
                : null;
        }
        return app.ConnectionString;
    }

    private static async Task<NpgsqlConnection> OpenOrCreate(NpgsqlConnectionStringBuilder admin, Action<string> say, CancellationToken ct)
    {
        try
        {
            return await Open(admin.ConnectionString, ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidCatalogName)
        {
            say($"creating database {admin.Database}");
            await using var server =
                await Open(new NpgsqlConnectionStringBuilder(admin.ConnectionString) { Database = "postgres" }.ConnectionString, ct);
            await Execute(server, $"create database {Quote(admin.Database!)} encoding 'UTF8' template template0", ct);
            return await Open(admin.ConnectionString, ct);
        }
    }

    private static async Task<NpgsqlConnection> Open(string connectionString, CancellationToken ct)
    {
        var connection = new NpgsqlConnection(connectionString);
        var where = Where(new NpgsqlConnectionStringBuilder(connectionString));
        try
        {
            await OpenAny(connection, ct);
        }
        catch (PostgresException e) when (
            e.SqlState is PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification)
        {
            throw new OperatorException(
                $"PostgreSQL at {where} refuses the login '{new NpgsqlConnectionStringBuilder(connectionString).Username}': correct "
                + $"Username and Password in SANKORE_DATABASE.", e);
        }
        catch (Exception e) when (e is NpgsqlException and not PostgresException or TimeoutException or System.Net.Sockets.SocketException)
        {
            throw new OperatorException(
                $"PostgreSQL at {where} cannot be reached ({e.InnerException?.Message ?? e.Message}): start it, or correct Host and Port "
                + $"in SANKORE_DATABASE, or unset SANKORE_DATABASE to use the embedded one.", e);
        }
        if (connection.PostgreSqlVersion.Major < OldestVersion)
        {
            var version = connection.PostgreSqlVersion;
            await connection.DisposeAsync();
            throw new OperatorException(
                $"PostgreSQL at {where} is version {version}, and Sankoré needs {OldestVersion} or later: upgrade it, or point "
                + $"SANKORE_DATABASE at a newer server.");
        }
        return connection;
    }

    /// <summary>Of several hosts, what one answers says more than that another does not.</summary>
    private static async Task OpenAny(NpgsqlConnection connection, CancellationToken ct)
    {
        try
        {
            await connection.OpenAsync(ct);
        }
        catch (NpgsqlException e) when (
            e.InnerException is AggregateException hosts
            && hosts.InnerExceptions.OfType<PostgresException>().FirstOrDefault() is { } answer)
        {
            throw answer;
        }
    }

    private static string Where(NpgsqlConnectionStringBuilder server) =>
        string.Join(
            ", ",
            (server.Host ?? "").Split(',', StringSplitOptions.TrimEntries)
            .Select(host => host is ['/', ..] || host.Contains(':', StringComparison.Ordinal) ? host : $"{host}:{server.Port}"));

    private static async Task CreateRoles(NpgsqlConnection connection, string app, CancellationToken ct)
    {
        foreach (var role in (string[])[OwnerRole, "anon", "authenticated", "service_role", AppRole])
        {
            var login = role == AppRole ? "login noinherit" : "nologin";
            if (!await Scalar<bool>(connection, $"select exists (select 1 from pg_roles where rolname = '{role}')", ct))
            {
                try
                {
                    await Execute(connection, $"create role {role} {login}", ct);
                }
                catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation)
                {
                    // Another node was faster.
                }
            }
        }
        if (!await Scalar<bool>(
            connection,
            $"select bool_and(pg_has_role('{AppRole}', r, 'member')) from unnest(array['anon', 'authenticated', 'service_role']) r", ct))
        {
            await Execute(connection, $"grant anon, authenticated, service_role to {AppRole}", ct);
        }
        if (!await Scalar<bool>(connection, $"select pg_has_role(current_user, '{OwnerRole}', 'member')", ct))
        {
            await Execute(connection, $"grant {OwnerRole} to current_user", ct);
        }
        var database = Quote(connection.Database);
        await Execute(
            connection,
            $"grant create, connect, temporary on database {database} to {OwnerRole}; grant connect on database {database} to {AppRole}; "
            + $"grant usage, create on schema public to {OwnerRole}", ct);
        if (new NpgsqlConnectionStringBuilder(app).Password is { Length: > 0 } password && !await CanLogIn(app, ct))
        {
            await Execute(connection, $"alter role {AppRole} password '{password}'", ct);
        }
    }

    private static async Task<bool> CanLogIn(string app, CancellationToken ct)
    {
        try
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(app) { Pooling = false }.ConnectionString);
            await connection.OpenAsync(ct);
            return true;
        }
        catch (PostgresException)
        {
            return false;
        }
    }

    private static string Quote(string identifier) => '"' + identifier.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<T> Scalar<T>(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(ct))!;
    }
}
