using System.Diagnostics.Metrics;

namespace Sankore.Platform.Live;

/// <summary>What the feed of this node has done since the node began.</summary>
/// <param name="Events">Events written to streams.</param>
/// <param name="Coalesced">Events that were not written because a later state of their row was, in the same frame.</param>
/// <param name="Dropped">Streams ended because their reader was too far behind.</param>
/// <param name="Resets">Streams that were told to read everything again.</param>
/// <param name="Refused">Streams refused because their person, address or node had too many.</param>
/// <param name="Bytes">Bytes of events and resets.</param>
public sealed record LiveSums(long Events, long Coalesced, long Dropped, long Resets, long Refused, long Bytes);

/// <summary>
/// What the feed does on this node: as meters (<c>Sankore.Live</c>) for OpenTelemetry and dotnet-counters, and as sums for the page
/// « Direct ».
/// </summary>
public sealed class LiveMeters : IDisposable
{
    private readonly Meter _meter = new("Sankore.Live");
    private readonly Sum _events;
    private readonly Sum _coalesced;
    private readonly Sum _dropped;
    private readonly Sum _resets;
    private readonly Sum _refused;
    private readonly Sum _bytes;
    private readonly Worst _fanOut;
    private readonly Worst _lag;

    /// <summary>Made once per node.</summary>
    public LiveMeters()
    {
        _events = new(_meter.CreateCounter<long>("sankore.live.events", description: "Events written to streams"));
        _coalesced = new(_meter.CreateCounter<long>(
            "sankore.live.coalesced", description: "Events covered by a later state of their row in the same frame"));
        _dropped =
            new(_meter.CreateCounter<long>("sankore.live.dropped", description: "Streams ended because their reader was too far behind"));
        _resets = new(_meter.CreateCounter<long>("sankore.live.resets", description: "Streams told to read everything again"));
        _refused = new(_meter.CreateCounter<long>(
            "sankore.live.refused", description: "Streams refused because their person, address or node had too many"));
        _bytes = new(_meter.CreateCounter<long>("sankore.live.bytes", "By", "Bytes of events and resets"));
        _fanOut = new(_meter.CreateHistogram<double>("sankore.live.fanout", "ms", "From a shard's first write of a round to its last"));
        _lag = new(_meter.CreateHistogram<double>("sankore.live.lag", "ms", "From the log's entry to this node's reading it"));
    }

    /// <summary>What was counted so far.</summary>
    public LiveSums Sums => new(_events.Value, _coalesced.Value, _dropped.Value, _resets.Value, _refused.Value, _bytes.Value);

    /// <summary>The longest fan-out and the longest lag since they were last asked for, in milliseconds.</summary>
    public (double FanOut, double Lag) TakeWorst() => (_fanOut.Take(), _lag.Take());

    internal void Watch(Func<int> connections) =>
        _meter.CreateObservableGauge("sankore.live.connections", connections, description: "Open streams");

    internal void CountSent(int streams, int events, int coalesced, long bytes)
    {
        _events.Add((long)streams * events);
        _coalesced.Add((long)streams * coalesced);
        _bytes.Add(streams * bytes);
    }

    internal void Reset(long bytes)
    {
        _resets.Add(1);
        _bytes.Add(bytes);
    }

    internal void Dropped() => _dropped.Add(1);

    internal void Refused() => _refused.Add(1);

    internal void FannedOut(TimeSpan took) => _fanOut.Record(took.TotalMilliseconds);

    internal void Behind(double milliseconds) => _lag.Record(milliseconds);

    public void Dispose() => _meter.Dispose();

    private sealed class Sum(Counter<long> counter)
    {
        private long _value;

        public long Value => Volatile.Read(ref _value);

        public void Add(long by)
        {
            if (by != 0)
            {
                counter.Add(by);
                Interlocked.Add(ref _value, by);
            }
        }
    }

    private sealed class Worst(Histogram<double> histogram)
    {
        private double _value;

        public double Take() => Interlocked.Exchange(ref _value, 0);

        public void Record(double value)
        {
            histogram.Record(value);
            for (var known = Volatile.Read(ref _value); value > known;)
            {
                var found = Interlocked.CompareExchange(ref _value, value, known);
                known = found == known ? value : found;
            }
        }
    }
}
