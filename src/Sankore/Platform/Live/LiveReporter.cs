using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Platform.Live;

/// <summary>
/// Says every <c>Sankore:Live:ReportEvery</c> seconds (2; 0: never) how this node's feed does: <c>live.nodes</c>, and from there the page
/// « Direct ». A node where nothing happens says so every ten seconds.
/// </summary>
public sealed class LiveReporter(
    Db db, LiveHub hub, LiveMeters meters, TimeProvider time, IConfiguration configuration, ILogger<LiveReporter> log) : BackgroundService
{
    /// <summary>Samples of a chart's line.</summary>
    public const int Samples = 60;

    /// <summary>The size of a chart, in its own units.</summary>
    public const int ChartWidth = 236, ChartHeight = 40;

    private const int AtLeastEvery = 10_000;
    private const int WatchedFor = 600_000;

    private const string ReportSql = "select live.report(@id, @name, @version, @up, @watched, @figures::jsonb, @history::jsonb)";

    private readonly Guid _id = Guid.CreateVersion7();
    private readonly string _name =
        $"{Environment.MachineName} · {(configuration["urls"] ?? "").Split(';')[0].Replace("http://", "", StringComparison.Ordinal)}";
    private readonly string _version = typeof(LiveReporter).Assembly.GetName().Version?.ToString(3) ?? "0";
    private readonly double _every = Math.Clamp(configuration.GetValue("Sankore:Live:ReportEvery", 2.0), 0, 10);
    private readonly long _startedAt = time.GetTimestamp();
    private readonly Line _streams = new(), _events = new(), _fanOut = new(), _lag = new();
    private LiveSums _sums = meters.Sums;
    private long _sampledAt = time.GetTimestamp();
    private (int Streams, double Events, double Bytes, LiveSums? Sums) _said;
    private long _saidAt;
    private long _watchedUntil;
    private bool _lost;

    /// <summary>This run of the program.</summary>
    public Guid Id => _id;

    private long Now => (long)time.GetElapsedTime(_startedAt).TotalMilliseconds;

    /// <summary>Somebody has opened the page: for ten minutes it is told of every report.</summary>
    public void Watch() => Volatile.Write(ref _watchedUntil, Now + WatchedFor);

    /// <summary>Takes a sample, and says it.</summary>
    public async Task Report(CancellationToken ct)
    {
        var elapsed = Math.Max(0.001, time.GetElapsedTime(_sampledAt).TotalSeconds);
        var (sums, before, worst) = (meters.Sums, _sums, meters.TakeWorst());
        (_sampledAt, _sums) = (time.GetTimestamp(), sums);
        var now = (Streams: hub.Count, Events: Rate(sums.Events - before.Events), Bytes: Rate(sums.Bytes - before.Bytes), Sums: sums);
        _streams.Add(now.Streams);
        _events.Add(now.Events);
        _fanOut.Add(worst.FanOut);
        _lag.Add(worst.Lag);
        if (_saidAt > 0 && now == _said && Now - _saidAt < AtLeastEvery)
        {
            return;
        }
        await db.Run(Caller.Service, session => session.Execute(ReportSql, new
        {
            id = _id,
            name = _name,
            version = _version,
            up = time.GetElapsedTime(_startedAt),
            watched = TimeSpan.FromMilliseconds(Math.Max(0, Volatile.Read(ref _watchedUntil) - Now)),
            figures = JsonSerializer.Serialize(Figures(now.Bytes, sums)),
            history = JsonSerializer.Serialize(History()),
        }), ct);
        (_said, _saidAt) = (now, Math.Max(1, Now));

        double Rate(long difference) => Math.Round(difference / elapsed, 1);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_every <= 0)
        {
            return;
        }
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(_every), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Report(stoppingToken);
                _lost = false;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it is: what fails to be said must not end what it is said of.
                if (!_lost)
                {
                    log.LiveReportLost(e.Message);
                }
                _lost = true;
            }
        }
    }

    private object Figures(double bytes, LiveSums sums) => new
    {
        streams = _streams.Last,
        streamsMax = _streams.Max,
        events = _events.Last,
        eventsMax = _events.Max,
        fanOut = _fanOut.Last,
        fanOutMax = _fanOut.Max,
        lag = _lag.Last,
        lagMax = _lag.Max,
        kilobytes = Math.Round(bytes / 1000, 3),
        coalesced = sums.Coalesced,
        dropped = sums.Dropped,
        resets = sums.Resets,
        refused = sums.Refused,
    };

    /// <summary>The curves, each with the end of its scale, and how many seconds they go back.</summary>
    private object History() => new
    {
        seconds = (Samples - 1) * _every,
        streamsPath = _streams.Path,
        streamsTop = _streams.Top,
        eventsPath = _events.Path,
        eventsTop = _events.Top,
        fanOutPath = _fanOut.Path,
        fanOutTop = _fanOut.Top,
        lagPath = _lag.Path,
        lagTop = _lag.Top,
    };

    /// <summary>The last samples of one figure: before the node began there was nothing.</summary>
    private sealed class Line
    {
        private readonly Queue<double> _values = new(Enumerable.Repeat(0.0, Samples));

        public double Last { get; private set; }

        public double Max => _values.Max();

        public double Top => Chart.Top(Max);

        public string Path => Chart.Path([.. _values], ChartWidth, ChartHeight, Top);

        public void Add(double value)
        {
            Last = Math.Round(Chart.Sound(value), 2);
            _values.Dequeue();
            _values.Enqueue(Last);
        }
    }
}
