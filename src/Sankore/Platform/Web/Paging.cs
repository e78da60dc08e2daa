using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Platform.Web;

/// <summary>What a list is asked for: <c>?page=&amp;size=&amp;q=&amp;sort=</c>.</summary>
/// <param name="Page">From 1.</param>
/// <param name="Size">1 to 100, 25 if not said.</param>
/// <param name="Q">Words to look for.</param>
/// <param name="Sort">A column's name, with a leading <c>-</c> for descending.</param>
public sealed record ListQuery([FromQuery(Name = "page")] int? Page = null, [FromQuery(Name = "size")] int? Size = null, [FromQuery(Name = "q")] string? Q = null, [FromQuery(Name = "sort")] string? Sort = null)
{
    /// <summary>The size in force.</summary>
    public int Limit => Math.Clamp(Size ?? 25, 1, 100);

    /// <summary>The page in force.</summary>
    public int Number => Math.Clamp(Page ?? 1, 1, 1_000_000);

    /// <summary>Rows before the page.</summary>
    public long Offset => (Number - 1L) * Limit;

    /// <summary>The words as a pattern for <c>ilike</c>, or null.</summary>
    public string? Pattern => string.IsNullOrWhiteSpace(Q) ? null
        : "%" + Q.Trim()[..Math.Min(Q.Trim().Length, 100)].Replace("\0", "", StringComparison.Ordinal).Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal) + "%";

    /// <summary>The <c>order by</c> of the sort asked for, out of those a list offers.</summary>
    /// <param name="columns">Names and their SQL; the first is the default.</param>
    /// <exception cref="Refusal">The list has no such sort.</exception>
    public string OrderBy(params (string Name, string Sql)[] columns)
    {
        var (name, direction) = Sort switch
        {
            null or "" => (columns[0].Name, "asc"),
            ['-', .. var rest] => (rest, "desc"),
            _ => (Sort, "asc"),
        };
        var sql = columns.FirstOrDefault(c => c.Name == name).Sql
            ?? throw new Refusal(Reason.Invalid) { Fields = new Dictionary<string, FieldError> { ["sort"] = new("field.one_of", string.Join(", ", columns.Select(c => c.Name))) } };
        var columnsInOrder = string.Join(", ", sql.Split(", ").Select(column => $"{column} {direction} nulls last"));
        return $" order by {columnsInOrder}, id limit @Limit offset @Offset";
    }
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

/// <summary>A row whose version counts its changes.</summary>
public interface IVersioned
{
    /// <summary>From 1; a change must name the one it is based on.</summary>
    int Version { get; }
}

/// <summary>Versions as entity tags: <c>ETag: "3"</c>, <c>If-Match: "3"</c>.</summary>
public static class Versions
{
    /// <summary>What is answered, with its version.</summary>
    public static T Tagged<T>(HttpContext context, T row) where T : IVersioned
    {
        context.Response.Headers.ETag = $"\"{row.Version}\"";
        return row;
    }

    /// <summary>What was made, where it is, and its version.</summary>
    public static Created<T> Created<T>(HttpContext context, string path, T row) where T : IVersioned => TypedResults.Created(path, Tagged(context, row));

    /// <summary>The version that a change is based on: <c>If-Match</c>, or else the body's.</summary>
    /// <exception cref="Refusal">VERSION_REQUIRED when neither says; BAD_REQUEST when If-Match is no version.</exception>
    public static int Expected(HttpContext context, int? fromBody)
    {
        var header = context.Request.Headers.IfMatch.ToString();
        if (header.Length == 0)
        {
            return fromBody ?? throw new Refusal(Reason.VersionRequired);
        }
        return int.TryParse(header.Replace("W/", "", StringComparison.Ordinal).Trim('"', ' '), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var version)
            ? version
            : throw new Refusal(Reason.BadRequest);
    }
}
