using Sankore.Platform.Data;

namespace Sankore.Campaigns;

/// <summary>Tells a person's open pages what changed.</summary>
internal static class Feed
{
    /// <summary>Says that rows of a table changed, with the figures of the dashboard. The log's lock is held from here on: it is a transaction's last statement.</summary>
    /// <param name="session">The person's unit of work.</param>
    /// <param name="table">A table of the schema <c>campaigns</c>.</param>
    public static Task Tell(this Session session, string table) => session.Execute("select campaigns.tell(@table)", new { table });
}
