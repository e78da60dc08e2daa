using Sankore.Platform.Security;

namespace Sankore.Platform.Data;

/// <summary>What an act deleted.</summary>
/// <param name="Act">By which it can be brought back for an hour; null: it cannot.</param>
/// <param name="Count">How many rows went.</param>
public sealed record Deleted(Guid? Act, int Count)
{
    /// <summary>The address of a page that says so, and offers to bring it back (Flash).</summary>
    public string Next(string page) => Act is { } act ? $"{page}?done=deleted&n={Count}&undo={act}" : $"{page}?done=deleted&n={Count}";
}

/// <summary>How many rows came back.</summary>
public sealed record BroughtBack(int Count);

/// <summary>
/// What somebody deleted and may bring back for an hour. Whoever deletes keeps the rows in the same statement (<see cref="KeepSql"/>); the
/// module that they belong to says how they come back (<see cref="SankoreModule.Restores"/>).
/// </summary>
public sealed class DeletedRows(Db db, IEnumerable<SankoreModule> modules)
{
    /// <summary>
    /// The end of a statement that deletes: keeps the rows of its <c>gone (kind, content)</c> under the act <c>@act</c>.
    /// </summary>
    internal const string KeepSql = "insert into util.deleted_rows (act_id, kind, content) select @act::uuid, kind, content from gone";

    /// <summary>Deletes rows and keeps them: those of <paramref name="ids"/> that the caller may delete.</summary>
    /// <param name="session">The unit of work.</param>
    /// <param name="sql">Deletes the rows <c>@ids</c> and ends with <see cref="KeepSql"/>.</param>
    /// <param name="ids">Which.</param>
    internal static async Task<Deleted> Delete(Session session, string sql, params Guid[] ids)
    {
        var act = Guid.CreateVersion7();
        return new Deleted(act, await session.Execute(sql, new { act, ids }));
    }

    /// <summary>The same of one row. Refuses with NOT_FOUND when there is none that the caller may delete.</summary>
    internal static async Task<Deleted> DeleteOne(Session session, string sql, Guid id) =>
        await Delete(session, sql, id) is { Count: > 0 } deleted ? deleted : throw new Refusal(Reason.NotFound);

    private const string KindsSql = """
        select distinct kind from util.deleted_rows
        where act_id = @act and user_id = (select auth.uid()) and deleted_at > now() - interval '1 hour'
        """;

    private const string ForgetSql = "delete from util.deleted_rows where act_id = @act and user_id = (select auth.uid())";

    /// <summary>
    /// Brings back what an act of the caller's deleted, under the caller's rights of now; what stands in a row's place meanwhile stays.
    /// Refuses with NOT_FOUND when there is no such act any more.
    /// </summary>
    public Task<BroughtBack> BringBack(Caller caller, Guid act, CancellationToken ct) => db.Run(caller, async session =>
    {
        var kinds = await session.Query<string>(KindsSql, new { act });
        if (kinds.Count == 0)
        {
            throw new Refusal(Reason.NotFound);
        }
        var count = 0;
        foreach (var sql in modules.SelectMany(m => m.Restores).Where(r => kinds.Contains(r.Key)).Select(r => r.Value))
        {
            count += await session.Value<int>(sql, new { act });
        }
        await session.Execute(ForgetSql, new { act });
        return new BroughtBack(count);
    }, ct);
}
