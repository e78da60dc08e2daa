namespace Sankore.Operations;

/// <summary>What of the platform's work went wrong, for whoever operates it.</summary>
internal static class OperationsHome
{
    private const string Sql = """
        select 'todo' as part, k.kind, k.n, k.name, k.at, '/admin/live' as url, null::bigint as before from util.troubled_jobs() k
        """;

    internal static readonly HomePart[] Parts = [new(typeof(Strings), Sql, "live.nodes", "operations.read")];
}
