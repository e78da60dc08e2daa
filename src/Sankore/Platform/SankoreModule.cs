using Sankore.Platform.Security;

namespace Sankore;

/// <summary>An entry of a menu, shown to whoever has the permission.</summary>
/// <param name="Permission">The permission of the page.</param>
/// <param name="Url">Where it leads.</param>
/// <param name="Icon">A symbol of icons.svg.</param>
/// <param name="Label">Key in the module's strings.</param>
/// <param name="Strings">The module's resource type.</param>
/// <param name="Order">Its place in the menu.</param>
public sealed record MenuEntry(string Permission, string Url, string Icon, string Label, Type Strings, int Order);

/// <summary>What a module says on home pages: what waits for a person, what changed, and figures.</summary>
/// <param name="Strings">The module's resource type: <c>todo.KIND</c>, <c>news.KIND</c> and <c>figure.KIND</c> are its words.</param>
/// <param name="Sql">
/// Statements without parameters, each of rows <c>(part, kind, n, name, at, url, before)</c>, read as the person: part is <c>todo</c> (how
/// many wait, until when, where), <c>news</c> (what, when, where), or <c>figure</c> (how many now, and thirty days ago). A todo of which
/// there are none is left out.
/// </param>
/// <param name="Reads">The tables whose changes have it read again.</param>
/// <param name="Permission">Of whose home pages it is; null: of everybody's but the operator's.</param>
public sealed record HomePart(Type Strings, string Sql, string Reads, string? Permission = null);

/// <summary>What a module lets be found by its words.</summary>
/// <param name="Strings">The module's resource type.</param>
/// <param name="Label">Key of what is found, in the plural.</param>
/// <param name="Icon">A symbol of icons.svg.</param>
/// <param name="Sql">
/// A statement of rows <c>(title, note, url)</c>, read as the person; it looks for <c>@Pattern</c> with <c>util.finds</c>, and gives at
/// most <see cref="Most"/> rows.
/// </param>
/// <param name="List">The list that shows all that is found, by the parameter <c>q</c>; null: there is none.</param>
/// <param name="Permission">Who may look; null: everybody, within what rows they see.</param>
public sealed record SearchPart(Type Strings, string Label, string Icon, string Sql, string? List = null, string? Permission = null)
{
    /// <summary>How many of each kind are shown.</summary>
    public const int Most = 8;
}

/// <summary>A module's table of contents: services, routes with their permissions, menu entries, and what its constraints mean.</summary>
public abstract class SankoreModule
{
    /// <summary>The folder and namespace: one word, the same everywhere.</summary>
    public string Name => GetType().Namespace!.Split('.')[1];

    /// <summary>Registers the module's use cases.</summary>
    public virtual void Services(IServiceCollection services, IConfiguration configuration) { }

    /// <summary>Maps the module's endpoints, each with its permission.</summary>
    public virtual void Routes(IEndpointRouteBuilder routes) { }

    /// <summary>The modules of the catalogue that this one is, by their code: where their pages begin.</summary>
    public virtual IReadOnlyDictionary<string, string> Homes => new Dictionary<string, string>();

    /// <summary>The module's entries in the operator's menu.</summary>
    public virtual IEnumerable<MenuEntry> Menu => [];

    /// <summary>What the module says on home pages.</summary>
    public virtual IEnumerable<HomePart> Home => [];

    /// <summary>What of the module's is found by its words.</summary>
    public virtual IEnumerable<SearchPart> Searches => [];

    /// <summary>The reasons that the module refuses with.</summary>
    public virtual IEnumerable<Reason> Reasons => [];

    /// <summary>Names of constraints and what breaking them means.</summary>
    public virtual IReadOnlyDictionary<string, Reason> Constraints => new Dictionary<string, Reason>();

    public virtual IEnumerable<Platform.Jobs.RecurringWork> Recurring => [];

    /// <summary>
    /// SQL that brings back what was deleted, by the kind of row under which it was kept, in the order in which they depend on each other:
    /// of the rows of <c>util.deleted_rows</c> with the act <c>@act</c> those of that kind. It returns how many came back.
    /// </summary>
    public virtual IReadOnlyList<KeyValuePair<string, string>> Restores => [];

    /// <summary>
    /// SQL that adds to the rights of the people <c>@userIds</c>: rows <c>(user_id, kind, items)</c>, read as the server; see
    /// <see cref="RightsCache"/>.
    /// </summary>
    public virtual string? RightsSql => null;

    /// <summary>
    /// SQL that selects, of the invitations <c>@ids</c>, those that can be accepted as far as the module is concerned: whoever invited
    /// might do so at this moment.
    /// </summary>
    public virtual string? InvitationSql => null;
}
