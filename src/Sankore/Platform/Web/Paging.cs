using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Platform.Web;

/// <summary>What a list is asked for: <c>?page=&amp;size=&amp;q=&amp;sort=</c>.</summary>
public sealed record ListQuery
{
    /// <summary>From 1.</summary>
    [FromQuery(Name = "page")] public int? Page { get; init; }

    /// <summary>1 to 100, 25 if not said.</summary>
    [FromQuery(Name = "size")] public int? Size { get; init; }

    /// <summary>Words to look for.</summary>
    [FromQuery(Name = "q")] public string? Q { get; init; }

    /// <summary>A column's name, with a leading <c>-</c> for descending.</summary>
    [FromQuery(Name = "sort")] public string? Sort { get; init; }

    /// <summary>The size in force.</summary>
    public int Limit => Math.Clamp(Size ?? 25, 1, 100);

    /// <summary>The page in force.</summary>
    public int Number => Math.Clamp(Page ?? 1, 1, 1_000_000);

    /// <summary>Rows before the page.</summary>
    public long Offset => (Number - 1L) * Limit;

    /// <summary>The words as a pattern of what <c>util.finds</c> looks for, or null.</summary>
    public string? Pattern => string.IsNullOrWhiteSpace(Q) ? null
        : "%"
        + Texts.Cut(Q.Trim(), 100).Replace("\0", "", StringComparison.Ordinal)
        .Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal)
        .Replace("_", @"\_", StringComparison.Ordinal) + "%";
}

/// <summary>A list that is read a page at a time: what counts its rows, what selects them, and the orders that it offers.</summary>
/// <param name="count">Counts all rows.</param>
/// <param name="rows">Selects rows; among those that an order leaves equal, <c>id</c> decides.</param>
/// <param name="orders">The orders' names and their columns; the first is the default.</param>
public sealed class PagedSql(string count, string rows, params (string Name, string Columns)[] orders)
{
    private readonly Dictionary<string, string> _statements = orders
        .SelectMany(o => new[] { (o.Name, By: Sorted(o.Columns, "asc")), (Name: "-" + o.Name, By: Sorted(o.Columns, "desc")) })
        .ToDictionary(o => o.Name, o => $"{count};{rows} order by {o.By}, id limit @Limit offset @Offset");

    /// <summary>Every statement that the list can send.</summary>
    public IEnumerable<string> Statements => _statements.Values;

    /// <summary>The statement for an order; none: the first.</summary>
    /// <exception cref="Refusal">VALIDATION_FAILED: the list has no such order.</exception>
    internal string For(string? sort) =>
        _statements.GetValueOrDefault(string.IsNullOrEmpty(sort) ? orders[0].Name : sort) ?? throw new Refusal(Reason.Invalid)
        {
            Fields = new Dictionary<string, FieldError> { ["sort"] = new("field.one_of", string.Join(", ", orders.Select(o => o.Name))) },
        };

    private static string Sorted(string columns, string direction) =>
        string.Join(", ", columns.Split(", ").Select(column => $"{column} {direction} nulls last"));
}

/// <summary>One page of a list.</summary>
/// <param name="Items">The rows.</param>
/// <param name="Total">Rows in all.</param>
/// <param name="Page">From 1.</param>
/// <param name="Size">Rows per page.</param>
public sealed record Paged<T>(IReadOnlyList<T> Items, long Total, int Page, int Size)
{
    /// <summary>Pages in all, at least 1.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public long Pages => Math.Max(1, (Total + Size - 1) / Size);

    /// <summary>The same page of something else.</summary>
    public Paged<TOther> Select<TOther>(Func<T, TOther> of) => new([.. Items.Select(of)], Total, Page, Size);
}

/// <summary>Reads a page of a list in one round trip.</summary>
public static class Paging
{
    /// <summary>The page of a list that a query asks for.</summary>
    public static Task<Paged<T>> Page<T>(this Session session, ListQuery query, PagedSql sql, object args) =>
        session.Page<T>(query, sql.For(query.Sort), args);

    /// <summary>The page that two statements give: the first counts all rows, the second selects the page's.</summary>
    public static async Task<Paged<T>> Page<T>(this Session session, ListQuery query, string sql, object args)
    {
        await using var results = await session.Queries(sql, args);
        return await results.Page<T>(query);
    }

    /// <summary>The page that the next two results give.</summary>
    public static async Task<Paged<T>> Page<T>(this ResultSets results, ListQuery query)
    {
        var total = await results.ReadFirstAsync<long>();
        return new Paged<T>([.. await results.ReadAsync<T>()], total, query.Number, query.Limit);
    }
}
