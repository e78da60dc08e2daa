using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>A person's pictures (<see cref="Pictures"/>) and the messages that show them.</summary>
public sealed class MessagePictures(Db db, Pictures pictures)
{
    private const string UsesSql = $"""
        select id, count(*) as messages from (
          select distinct c.id as message, m[1] as id from (
            select id, content from campaigns.email_campaigns union all select id, content from campaigns.email_templates) c,
            regexp_matches(c.content, '/i/({PictureAddresses.Id})', 'g') m) u
        group by id
        """;

    private const string DeleteSql = $"""
        with gone as (
          delete from util.pictures p where p.id = any (@ids::uuid[]) and p.kind = 'message'
          returning 'pictures' as kind, to_jsonb(p) as content)
        {DeletedRows.KeepSql}
        """;

    /// <summary>Deleted pictures come back, at their addresses.</summary>
    internal const string RestoreSql = """
        with back as (
          insert into util.pictures (id, owner_id, kind, name, media_type, width, height, content, small, source, created_at)
          select r.id, (select auth.uid()), 'message', r.name, r.media_type, r.width, r.height, r.content, r.small, r.source, r.created_at
          from util.deleted_rows d, jsonb_populate_record(null::util.pictures, d.content) r
          where d.act_id = @act and d.user_id = (select auth.uid()) and d.kind = 'pictures'
          on conflict do nothing returning id)
        select count(*)::int from back
        """;

    private sealed record Use(string Id, long Messages);

    /// <summary>
    /// A design with the pictures that were sent in its form, which are kept. Refuses as <see cref="Pictures.Add"/> does, beside the
    /// block's field.
    /// </summary>
    /// <param name="caller">Who writes.</param>
    /// <param name="design">What was filled in; null: it is no form of blocks.</param>
    /// <param name="form">Where the files are.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<MessageDesign?> Take(Caller caller, MessageDesign? design, IFormCollection form, CancellationToken ct) =>
        design is null ? null
            : await DesignForm.WithPictures(design, form, async file => (await pictures.Add(caller, file, ct)).Address);

    /// <summary>How many of the caller's campaigns and templates show each picture; those that none shows are not in it.</summary>
    public async Task<IReadOnlyDictionary<Guid, long>> Uses(Caller caller, CancellationToken ct) =>
        (await db.Read(caller, session => session.Query<Use>(UsesSql), ct)).ToDictionary(u => Guid.Parse(u.Id), u => u.Messages);

    /// <summary>Deletes a picture: messages that show it, sent ones too, show it no more. Refuses with NOT_FOUND.</summary>
    public Task<Deleted> Delete(Caller caller, Guid id, CancellationToken ct) =>
        db.Run(caller, session => DeletedRows.DeleteOne(session, DeleteSql, id), ct);
}
