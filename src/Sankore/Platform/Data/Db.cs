using System.Data;
using Dapper;
using Npgsql;
using Sankore.Platform.Security;

namespace Sankore.Platform.Data;

/// <summary>
/// The only way to PostgreSQL. Every unit of work says who is asking, inside its own transaction and in the same round trip as its
/// first statement (architecture.md, decision 1); the row policies do the rest.
/// </summary>
public sealed class Db(NpgsqlDataSource source, ReasonBook reasons)
{
    /// <summary>
    /// One transaction. A serialisation failure or a deadlock is retried once; a constraint becomes its <see cref="Refusal"/>. What throws
    /// leaves nothing behind, but for a refusal that <see cref="Refusal.KeepsWork"/>.
    /// </summary>
    /// <param name="caller">Who is asking.</param>
    /// <param name="work">The statements; it may run twice, so it touches nothing but the session.</param>
    /// <param name="ct">Cancels the statement under way.</param>
    public Task<T> Run<T>(Caller caller, Func<Session, Task<T>> work, CancellationToken ct) => Translated(async () =>
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await Connected(async connection =>
                {
                    await using var transaction = await connection.BeginTransactionAsync(ct);
                    try
                    {
                        var result = await work(new Session(connection, transaction, caller, ct));
                        await transaction.CommitAsync(ct);
                        return result;
                    }
                    catch (Refusal refusal) when (refusal.KeepsWork)
                    {
                        await transaction.CommitAsync(ct);
                        throw;
                    }
                }, ct);
            }
            catch (PostgresException e) when (
                attempt == 1 && e.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected)
            {
            }
        }
    });

    /// <inheritdoc cref="Run{T}"/>
    public Task Run(Caller caller, Func<Session, Task> work, CancellationToken ct) =>
        Run(caller, async session => { await work(session); return true; }, ct);

    /// <summary>
    /// Reads only: every statement carries the identity itself, so one statement is one round trip (an implicit transaction).
    /// </summary>
    public Task<T> Read<T>(Caller caller, Func<Session, Task<T>> work, CancellationToken ct) =>
        Translated(() => Connected(connection => work(new Session(connection, null, caller, ct)), ct));

    /// <summary>
    /// One statement, on the thread that asks and no other, for a framework that cannot wait otherwise: where it asks on every thread of
    /// the pool at once, none would be left to go on with an answer that came asynchronously.
    /// </summary>
    public IReadOnlyList<T> QuerySync<T>(Caller caller, string sql, object? args = null)
    {
        using var connection = source.OpenConnection();
        try
        {
            return new Session(connection, null, caller, CancellationToken.None).QuerySync<T>(sql, args);
        }
        catch
        {
            ForgetPrepared(connection);
            throw;
        }
    }

    /// <summary>
    /// A connection of the pool. One on which a statement failed or was cancelled forgets what it has prepared: a statement that fails
    /// between its parsing and its first row, as it is prepared, is kept by Npgsql (10.0.0, and 10.0.3 still) as one without rows, and the
    /// next who runs it on this connection would be told of a fault in the protocol.
    /// </summary>
    private async Task<T> Connected<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        var failed = false;
        try
        {
            return await work(connection);
        }
        catch (Exception e) when (e is not Refusal)
        {
            failed = true;
            throw;
        }
        finally
        {
            if ((failed || ct.IsCancellationRequested) && connection.State == ConnectionState.Open)
            {
                ForgetPrepared(connection);
            }
        }
    }

    private static void ForgetPrepared(NpgsqlConnection connection)
    {
        try
        {
            connection.UnprepareAll();
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            // The connection is gone, and what it had prepared with it.
        }
    }

    private async Task<T> Translated<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (PostgresException e) when (reasons.For(e) is { } refusal)
        {
            throw refusal;
        }
    }
}

/// <summary>The open unit of work. Statements are constants; values travel as parameters.</summary>
public sealed class Session(NpgsqlConnection connection, NpgsqlTransaction? transaction, Caller caller, CancellationToken ct)
{
    private const string IdentitySql = """
        select set_config('role', @caller_role, true), set_config('request.jwt.claims', @caller_claims, true),
          set_config('app.language', @caller_language, true);
        """;

    private Caller _caller = caller;
    private bool _identified;

    public Caller Caller => _caller;

    /// <summary>All rows, in memory: page what can be long.</summary>
    public async Task<IReadOnlyList<T>> Query<T>(string sql, object? args = null)
    {
        await using var grid = await Grid(sql, args);
        return (await grid.ReadAsync<T>()).AsList();
    }

    internal IReadOnlyList<T> QuerySync<T>(string sql, object? args)
    {
        var identify = Identify(args, out var parameters);
        using var grid = connection.QueryMultiple(new CommandDefinition(identify + sql, parameters, transaction));
        if (identify.Length > 0)
        {
            grid.Read<object>();
        }
        return grid.Read<T>().AsList();
    }

    /// <summary>The one row, or null.</summary>
    public async Task<T?> Find<T>(string sql, object? args = null)
    {
        await using var grid = await Grid(sql, args);
        return await grid.ReadFirstOrDefaultAsync<T>();
    }

    /// <summary>The one row. Refuses with NOT_FOUND when the caller sees none.</summary>
    public async Task<T> One<T>(string sql, object? args = null) where T : class =>
        await Find<T>(sql, args) ?? throw new Refusal(Reason.NotFound);

    public async Task<T> Value<T>(string sql, object? args = null)
    {
        await using var grid = await Grid(sql, args);
        return await grid.ReadFirstAsync<T>();
    }

    /// <summary>Several result sets in one round trip.</summary>
    public Task<ResultSets> Queries(string sql, object? args = null) => Grid(sql, args);

    /// <summary>A statement without rows; the number of rows it touched.</summary>
    public async Task<int> Execute(string sql, object? args = null)
    {
        var identify = Identify(args, out var parameters);
        // An identity statement before this one returns a row, which does not count as touched.
        return await connection.ExecuteAsync(new CommandDefinition(identify + sql, parameters, transaction, cancellationToken: ct)) is var n
            && n < 0 ? 0 : n;
    }

    /// <summary>A statement that touches a row. Refuses with NOT_FOUND when the caller sees none.</summary>
    public async Task ExecuteOne(string sql, object args)
    {
        if (await Execute(sql, args) == 0)
        {
            throw new Refusal(Reason.NotFound);
        }
    }

    /// <summary>Does one thing as the server itself within the caller's transaction (enqueue a job), then is the caller again.</summary>
    public async Task<T> AsService<T>(Func<Session, Task<T>> work)
    {
        var before = _caller;
        (_caller, _identified) = (before.AsService(), false);
        try
        {
            return await work(this);
        }
        finally
        {
            (_caller, _identified) = (before, false);
        }
    }

    /// <inheritdoc cref="AsService{T}"/>
    public Task AsService(Func<Session, Task> work) => AsService(async session => { await work(session); return true; });

    private async Task<ResultSets> Grid(string sql, object? args)
    {
        var identify = Identify(args, out var parameters);
        var results = new ResultSets(
            await connection.QueryMultipleAsync(new CommandDefinition(identify + sql, parameters, transaction, cancellationToken: ct)), ct);
        try
        {
            if (identify.Length > 0)
            {
                await results.ReadAsync<object>();
            }
            return results;
        }
        catch
        {
            await results.DisposeAsync();
            throw;
        }
    }

    private string Identify(object? args, out DynamicParameters parameters)
    {
        parameters = new DynamicParameters(args);
        if (_identified)
        {
            return "";
        }
        _identified = transaction is not null;
        parameters.Add("caller_role", _caller.Role);
        parameters.Add("caller_claims", _caller.Claims);
        parameters.Add("caller_language", Text.Texts.Language);
        return IdentitySql;
    }
}

/// <summary>Several result sets, read one after the other.</summary>
public sealed class ResultSets(SqlMapper.GridReader grid, CancellationToken ct) : IAsyncDisposable
{
    /// <summary>All rows of the next result.</summary>
    public Task<IEnumerable<T>> ReadAsync<T>() => grid.ReadAsync<T>();

    /// <summary>The first row of the next result.</summary>
    public Task<T> ReadFirstAsync<T>() => grid.ReadFirstAsync<T>();

    /// <summary>The first row of the next result, or nothing.</summary>
    public async Task<T?> ReadFirstOrDefaultAsync<T>() => await grid.ReadFirstOrDefaultAsync<T>();

    /// <summary>The first row of the next result. Refuses with NOT_FOUND when the caller sees none.</summary>
    public async Task<T> One<T>() where T : class => await ReadFirstOrDefaultAsync<T>() ?? throw new Refusal(Reason.NotFound);

    /// <summary>
    /// Reads what is left. Only what nobody waits for any more is cancelled, which a grid would do with all that is unread or has failed: a
    /// cancellation is a connection of its own, and one that is late hits whoever has the connection next.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            while (!grid.IsConsumed && !ct.IsCancellationRequested)
            {
                await grid.ReadAsync();
            }
        }
        finally
        {
            using var kept = ct.IsCancellationRequested ? null : grid.Command;
            if (kept is not null)
            {
                grid.Command = null!;
            }
            await grid.DisposeAsync();
        }
    }
}
