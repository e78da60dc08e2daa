using Sankore.Platform.Security;

namespace Sankore.Platform.Live;

/// <summary>
/// Whether a stream may begin on this node, and when. After a restart everybody comes back together; whoever waits here costs next to
/// nothing, and the requests of those who work already find a free thread and a free connection to the database. A full node refuses before
/// anything else is done.
/// </summary>
public sealed class LiveGate(LiveHub hub, LiveLimits limits) : IDisposable
{
    private const int AtOnce = 64;

    private readonly SemaphoreSlim _free = new(AtOnce);
    private int _waiting;

    /// <summary>Waits for one's turn. Refuses with UNAVAILABLE when the node has no room: another one may have.</summary>
    /// <returns>Dispose it when the stream has begun.</returns>
    public async Task<IDisposable> Enter(CancellationToken ct)
    {
        if (Interlocked.Increment(ref _waiting) + hub.Count > limits.PerNode)
        {
            Interlocked.Decrement(ref _waiting);
            hub.Meters.Refused();
            throw new Refusal(Reason.Unavailable) { RetryAfter = TimeSpan.FromSeconds(2 + Random.Shared.Next(8)) };
        }
        try
        {
            await _free.WaitAsync(ct);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
        return new Turn(_free);
    }

    public void Dispose() => _free.Dispose();

    private sealed class Turn(SemaphoreSlim free) : IDisposable
    {
        private int _over;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) == 0)
            {
                free.Release();
            }
        }
    }
}
