using System.Data.Common;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>
/// Reads the folder that reports of mail servers are delivered into, a mail a file. What was read is moved to <c>done/</c> in it, what
/// could not be to <c>unread/</c>, after its events are kept: whoever dies in between leaves a file that is read again and says nothing
/// new. One node reads at a time.
/// </summary>
public sealed class BounceFolder(DeliverySources sources, DeliveryEvents events, Db db, ILogger<BounceFolder> log) : BackgroundService
{
    private const int AtOnce = 200;
    private const long MaxBytes = 10 * 1024 * 1024;

    private const string TurnSql = "select pg_try_advisory_xact_lock(7205759403792793710)";

    private sealed record Report(string Path, IReadOnlyList<DeliveryEvent>? Events);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (sources.BounceFolder is not { } folder)
        {
            return;
        }
        using var timer = new PeriodicTimer(sources.BounceEvery);
        do
        {
            try
            {
                while (await ReadSome(folder, stoppingToken) == AtOnce)
                {
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or DbException or TimeoutException or Refusal)
            {
                log.BouncesLost(e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Reads what is there, at most so many files; how many there were, or 0 when it is another node's turn.</summary>
    private Task<int> ReadSome(string folder, CancellationToken ct) => db.Run(Caller.Service, async turn =>
    {
        if (!await turn.Value<bool>(TurnSql))
        {
            return 0;
        }
        // A name with a dot before it is a file that is still being written.
        var reports = Directory.EnumerateFiles(folder).Where(path => Path.GetFileName(path)[0] != '.').Order(StringComparer.Ordinal)
            .Take(AtOnce).Select(Read).ToList();
        var said = reports.SelectMany(r => r.Events ?? []).ToList();
        await events.Take("report", said, ct);
        reports.ForEach(r => Move(r.Path, Path.Combine(folder, r.Events is null ? "unread" : "done")));
        if (reports.Count > 0)
        {
            log.BouncesRead(reports.Count(r => r.Events is not null), reports.Count(r => r.Events is null));
        }
        return reports.Count;
    }, ct);

    private static Report Read(string path)
    {
        try
        {
            return new Report(path, new FileInfo(path).Length > MaxBytes ? null : MailReport.Read(File.ReadAllBytes(path)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // One file that cannot be opened does not keep the others waiting.
            return new Report(path, null);
        }
    }

    private static void Move(string path, string to) =>
        File.Move(path, Path.Combine(Directory.CreateDirectory(to).FullName, Path.GetFileName(path)), overwrite: true);
}
