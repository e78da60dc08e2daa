using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Ui;

namespace Sankore.Operations;

/// <summary>A row of <c>live.nodes</c> as the feed carries it: one node, or all together.</summary>
public sealed record LiveNode(JsonElement Row)
{
    /// <summary>A field's text; empty when it has none.</summary>
    public string Text(string field) => Row.TryGetProperty(field, out var value) ? value.ToString() : "";

    /// <summary>A figure as people read it in the request's language.</summary>
    public string Figure(string name) => Format.Figure(Row.TryGetProperty(name, out var value) ? value.GetDouble() : 0);

    /// <summary>A time, UTC.</summary>
    public DateTime Time(string field) => Row.GetProperty(field).GetDateTimeOffset().UtcDateTime;
}

/// <summary>How the feed does, node by node, for whoever has <c>operations.read</c> (the row policy asks it).</summary>
public sealed class LiveNodes(Db db)
{
    // What the page shows first is what the feed goes on with: the same function makes both.
    private const string Sql = """
        select live.nodes_row()::text;
        select (live.node_row(n) || jsonb_build_object('id', n.id))::text from live.nodes n
        where n.seen_at > now() - interval '1 minute' order by n.name collate "und-x-icu", n.id
        """;

    /// <summary>All nodes together, and each.</summary>
    public Task<(LiveNode All, IReadOnlyList<LiveNode> Nodes)> Read(Caller caller, CancellationToken ct) => db.Read(caller, async session =>
    {
        await using var grid = await session.Queries(Sql);
        var all = new LiveNode(JsonElement.Parse(await grid.ReadFirstAsync<string>()));
        IReadOnlyList<LiveNode> nodes = [.. (await grid.ReadAsync<string>()).Select(row => new LiveNode(JsonElement.Parse(row)))];
        return (all, nodes);
    }, ct);
}
