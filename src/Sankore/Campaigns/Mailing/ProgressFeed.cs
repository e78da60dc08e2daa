using System.Collections.Concurrent;
using System.Data.Common;
using System.Threading.Channels;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>
/// Tells open pages how campaigns do: at most four times a second each, whatever the volume and however many nodes send, and always the
/// last state in the end.
/// </summary>
public sealed class ProgressFeed(Db db, ILogger<ProgressFeed> log) : BackgroundService
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    // Those that were told too short a while ago, by whichever node, come back to be told later.
    private const string PublishSql = "select id from campaigns.publish_campaigns(@ids::uuid[]) id";

    private readonly ConcurrentDictionary<Guid, bool> _changed = new();
    private readonly Channel<bool> _any =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Something of these campaigns changed.</summary>
    public void Changed(IEnumerable<Guid> campaigns)
    {
        foreach (var campaign in campaigns)
        {
            _changed[campaign] = true;
        }
        _any.Writer.TryWrite(true);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await _any.Reader.ReadAsync(stoppingToken);
                await Publish();
                await Task.Delay(Pace, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                await Publish();
            }
        }
    }

    private async Task Publish()
    {
        var ids = _changed.Keys.ToArray();
        Array.ForEach(ids, id => _changed.TryRemove(id, out _));
        if (ids.Length == 0)
        {
            return;
        }
        try
        {
            var early = await db.Run(Caller.Service, session => session.Query<Guid>(PublishSql, new { ids }), CancellationToken.None);
            if (early.Count > 0)
            {
                Changed(early);
            }
        }
        catch (Exception e) when (e is DbException or IOException or TimeoutException or Refusal)
        {
            log.ProgressLost(e.Message);
            Changed(ids);
        }
    }
}
