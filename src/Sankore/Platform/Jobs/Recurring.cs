using System.Data.Common;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Platform.Jobs;

/// <summary>The one list of recurring work. Each statement takes its own advisory lock, so N nodes do it once.</summary>
public sealed class Recurring(Db db, ILogger<Recurring> log) : BackgroundService
{
    private static readonly (string Name, string Sql)[] Hourly =
    [
        ("keep the change log bounded", "select live.keep_partitions()"),
        ("forget finished jobs", "delete from util.job_queue where status = 'completed' and completed_at < now() - interval '30 days'"),
    ];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1));
        do
        {
            foreach (var (name, sql) in Hourly)
            {
                try
                {
                    await db.Run(Caller.Service, session => session.Execute(sql), stoppingToken);
                }
                catch (Exception e) when (e is DbException or TimeoutException or IOException)
                {
                    log.RecurringFailed(name, e.Message);
                }
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
