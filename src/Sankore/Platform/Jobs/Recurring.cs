using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Platform.Jobs;

/// <summary>
/// What is to be done every so often, as the server, in one transaction. N nodes may do it at once: it does its work once, or has a lock of
/// its own.
/// </summary>
/// <param name="Name">What it does, for the log.</param>
/// <param name="Every">How often.</param>
/// <param name="Work">The work; it may run twice, so it touches nothing but the session.</param>
public sealed record RecurringWork(string Name, TimeSpan Every, Func<Session, Task> Work)
{
    /// <summary>Work that is one statement.</summary>
    public RecurringWork(string name, TimeSpan every, string sql)
        : this(name, every, session => session.Execute(sql))
    {
    }
}

/// <summary>Runs the recurring work of every module.</summary>
public sealed class Recurring(Db db, IEnumerable<SankoreModule> modules, ILogger<Recurring> log) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(modules.SelectMany(m => m.Recurring).Select(work => Repeat(work, stoppingToken)));

    private async Task Repeat(RecurringWork work, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(work.Every);
        do
        {
            try
            {
                await db.Run(Caller.Service, work.Work, ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                log.RecurringFailed(work.Name, e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(ct));
    }
}
