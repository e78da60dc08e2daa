namespace Sankore.Ui;

/// <summary>A group of entries in a person's menu of modules.</summary>
public sealed record ShellSection(Guid Id, string Name, string Color, int SortOrder, IReadOnlyList<ShellLink> Links);

/// <summary>An entry of the menu.</summary>
public sealed record ShellLink(Guid Id, string Name, string? Description, string Icon, string Url, int Priority);

/// <summary>What is around every page of a person signed in.</summary>
/// <param name="Position">The log's position, taken before anything else of the page was read: the page's stream starts there.</param>
/// <param name="DisplayName">The person.</param>
/// <param name="Email">The person's address.</param>
/// <param name="Place">Where the person works, e.g. the school; null for whoever operates the platform.</param>
/// <param name="Within">What the place belongs to, e.g. the group.</param>
/// <param name="Role">The person's role there, as a key of the Ui strings.</param>
/// <param name="Plan">The plan the place lives on.</param>
/// <param name="Administers">Whether the person administers a group.</param>
/// <param name="Sections">The menu of modules.</param>
/// <param name="Notice">What is wrong with the place, above every page; null: nothing.</param>
/// <param name="Logo">Where the place's logo is loaded from.</param>
/// <param name="Photo">Where the person's photo is loaded from.</param>
public sealed record ShellContent(
    long Position, string DisplayName, string Email, string? Place, string? Within, string? Role, string? Plan, bool Administers,
    IReadOnlyList<ShellSection> Sections, ShellNotice? Notice, string? Logo, string? Photo)
{
    /// <summary>Around the pages of nobody in particular.</summary>
    public static ShellContent Empty { get; } = new(0, "", "", null, null, null, null, false, [], null, null, null);
}

/// <summary>What is wrong with the person's place, and whom to ask, in the person's words.</summary>
/// <param name="IsClosed">Whether its modules are closed; otherwise they will be.</param>
public sealed record ShellNotice(bool IsClosed, string Text, string Whom);

/// <summary>Reads the shell of the caller: the module that knows the network registers it.</summary>
public delegate Task<ShellContent> LoadShell(Platform.Security.Caller caller, CancellationToken ct);

/// <summary>The shell of the request's page; loaded before the page's own rows are read.</summary>
public sealed class Shell
{
    public ShellContent Content { get; private set; } = ShellContent.Empty;

    /// <summary>Whether the page has a person.</summary>
    public bool SignedIn { get; private set; }

    internal void Set(ShellContent content) => (Content, SignedIn) = (content, true);
}
