using Microsoft.AspNetCore.StaticFiles;
using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>A file that travels with every message of a campaign.</summary>
/// <param name="ContentType">As the name's ending has it, never as the uploader says.</param>
/// <param name="Size">In bytes.</param>
public sealed record AttachedFile(Guid Id, string FileName, string ContentType, long Size, DateTime CreatedAt);

/// <summary>A file and what is in it.</summary>
public sealed record AttachedContent(string FileName, string ContentType, byte[] Content);

/// <summary>
/// What a person's campaigns carry. A draft's may be changed, which counts as a change of the campaign: its version goes up. The database
/// holds them to ten files and 10 MB (<c>campaigns.check_attachments</c>).
/// </summary>
public sealed class Attachments(Db db)
{
    /// <summary>The largest file, in bytes.</summary>
    public const int MaxBytes = 5 * 1024 * 1024;

    private const string Columns = "id, file_name, content_type, length(content)::bigint as size, created_at";
    private const string ListSql = $"select {Columns} from campaigns.attachments where campaign_id = @campaign order by created_at, id";
    private const string InsertSql = $"""
        insert into campaigns.attachments (id, campaign_id, file_name, content_type, content)
        values (@id, @campaign, @name, @type, @content) returning {Columns}
        """;
    private const string ContentSql = """
        select file_name, content_type, content from campaigns.attachments where campaign_id = @campaign and id = @id
        """;
    private const string DeleteSql = "delete from campaigns.attachments where campaign_id = @campaign and id = @id";

    // What large mail services refuse (Gmail's list): one such file and a whole campaign comes back.
    private static readonly HashSet<string> Refused = new(StringComparer.OrdinalIgnoreCase)
    {
        ".ade", ".adp", ".apk", ".appx", ".appxbundle", ".bat", ".cab", ".chm", ".cmd", ".com", ".cpl", ".diagcab", ".dll", ".dmg", ".exe",
        ".hta", ".img", ".ins", ".iso", ".isp", ".jar", ".jnlp", ".js", ".jse",
        ".lib", ".lnk", ".mde", ".mjs", ".msc", ".msi", ".msix", ".msp", ".mst", ".nsh", ".pif", ".ps1", ".scr", ".sct", ".shb", ".sys",
        ".vb", ".vbe", ".vbs", ".vhd", ".vxd", ".wsc", ".wsf", ".wsh", ".xll",
    };

    private static readonly FileExtensionContentTypeProvider Types = new();

    /// <summary>A file is larger than <see cref="MaxBytes"/>.</summary>
    internal static Refusal TooLarge =>
        new(Reason.TooLarge) { Fields = new Dictionary<string, FieldError> { ["file"] = new("attachment.large") } };

    /// <summary>A campaign's files, in the order in which they came. Refuses with NOT_FOUND.</summary>
    public Task<IReadOnlyList<AttachedFile>> List(Caller caller, Guid campaign, CancellationToken ct) => db.Read(caller, async session =>
    {
        await EmailCampaigns.One(session, campaign);
        return await session.Query<AttachedFile>(ListSql, new { campaign });
    }, ct);

    /// <summary>One file. Refuses with NOT_FOUND.</summary>
    public Task<AttachedContent> Find(Caller caller, Guid campaign, Guid id, CancellationToken ct) =>
        db.Read(caller, session => session.One<AttachedContent>(ContentSql, new { campaign, id }), ct);

    /// <summary>
    /// Adds a file to a draft. Refuses with VALIDATION_FAILED (an empty file, a name that is none, a kind that mail services refuse),
    /// TOO_LARGE, NOT_FOUND, CAMPAIGN_SETTLED, ATTACHMENTS_FULL.
    /// </summary>
    /// <param name="caller">Whose campaign.</param>
    /// <param name="campaign">Which.</param>
    /// <param name="fileName">As its uploader names it: a path, whatever it holds.</param>
    /// <param name="file">Can be sought in.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<AttachedFile> Add(Caller caller, Guid campaign, string? fileName, Stream file, CancellationToken ct)
    {
        var name = FileNames.Of(fileName);
        new Validation().That("file", name.Length is > 0 and <= FileNames.MaxLength, "attachment.name")
            .That("file", !Refused.Contains(Path.GetExtension(name)), "attachment.kind").That("file", file.Length > 0, "attachment.empty")
            .Check();
        if (file.Length > MaxBytes)
        {
            throw TooLarge;
        }
        var content = new byte[file.Length];
        await file.ReadExactlyAsync(content, ct);
        return await db.Run(caller, async session =>
        {
            await EmailCampaigns.One(session, campaign);
            return await session.One<AttachedFile>(
                InsertSql, new { id = Guid.CreateVersion7(), campaign, name, type = TypeOf(name), content });
        }, ct);
    }

    /// <summary>Takes a file off a draft. Refuses with NOT_FOUND, CAMPAIGN_SETTLED.</summary>
    public Task Remove(Caller caller, Guid campaign, Guid id, CancellationToken ct) =>
        db.Run(caller, session => session.ExecuteOne(DeleteSql, new { campaign, id }), ct);

    /// <summary>
    /// The media type that a name's ending stands for; a message within a message is only bytes, since it may not travel in base64 (RFC
    /// 2046, 5.2.1).
    /// </summary>
    internal static string TypeOf(string name) =>
        Types.TryGetContentType(name, out var type) && !type.StartsWith("message/", StringComparison.Ordinal)
            && !type.StartsWith("multipart/", StringComparison.Ordinal) ? type : "application/octet-stream";
}
