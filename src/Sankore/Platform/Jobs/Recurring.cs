using System.Data.Common;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Platform.Jobs;

/// <summary>A statement that is to be run every so often, as the server. N nodes may run it at once: it does its work once, or has a lock of its own.</summary>
/// <param name="Name">What it does, for the log.</param>
/// <param name="Every">How often.</param>
/// <param name="Sql">The statement.</param>
public sealed record RecurringWork(string Name, TimeSpan Every, string Sql);

/// <summary>Runs the recurring work of every module.</summary>
public sealed class Recurring(Db db, IEnumerable<SankoreModule> modules, ILogger<Recurring> log) : BackgroundService
{
    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(modules.SelectMany(m => m.Recurring).Select(work => Repeat(work, stoppingToken)));

    private async Task Repeat(RecurringWork work, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(work.Every);
        do
        {
            try
            {
                await db.Run(Caller.Service, session => session.Execute(work.Sql), ct);
            }
            catch (Exception e) when (e is DbException or TimeoutException or IOException or Refusal)
            {
                log.RecurringFailed(work.Name, e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(ct));
    }
}
