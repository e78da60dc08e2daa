using System.Collections.Concurrent;

namespace Sankore.Platform.Mail;

/// <summary>
/// So many a minute, evenly (a token bucket that holds a second's worth). Who asks is given the next turn and told how long it is until
/// then.
/// </summary>
internal sealed class Pace(int perMinute, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly double _perSecond = perMinute / 60.0;
    private readonly double _most = Math.Max(1, perMinute / 60.0);
    private double _tokens = Math.Max(1, perMinute / 60.0);
    private DateTimeOffset _filledAt = time.GetUtcNow();

    /// <summary>Takes a turn, and says how long it is until then. Whoever does not wait makes the others wait longer.</summary>
    public TimeSpan Take()
    {
        lock (_lock)
        {
            Fill();
            _tokens--;
            return _tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-_tokens / _perSecond);
        }
    }

    /// <summary>Gives a turn back that was not used.</summary>
    public void GiveBack()
    {
        lock (_lock)
        {
            _tokens++;
        }
    }

    /// <summary>Whether nobody has asked for a while.</summary>
    public bool IsRested
    {
        get
        {
            lock (_lock)
            {
                Fill();
                return _tokens >= _most;
            }
        }
    }

    private void Fill()
    {
        var now = time.GetUtcNow();
        _tokens = Math.Min(_most, _tokens + (Math.Max(0, (now - _filledAt).TotalSeconds) * _perSecond));
        _filledAt = now;
    }
}

/// <summary>The limits of a node: of all its mail, and of its mail to each domain.</summary>
internal sealed class Paces(SmtpOptions options, TimeProvider time)
{
    private const int ManyDomains = 10_000;

    private readonly Pace? _all = options.PerMinute > 0 ? new Pace(options.PerMinute, time) : null;
    private readonly ConcurrentDictionary<string, Pace> _domains = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes the turns of a mail to a domain: transactional mail counts and goes at once, bulk waits for its turn.</summary>
    public async Task Take(string domain, MailKind kind, CancellationToken ct)
    {
        Pace?[] paces = [_all, options.PerDomainPerMinute > 0 ? OfDomain(domain) : null];
        var wait = paces.Max(p => p?.Take() ?? TimeSpan.Zero);
        if (kind == MailKind.Transactional || wait == TimeSpan.Zero)
        {
            return;
        }
        try
        {
            await Task.Delay(wait, time, ct);
        }
        catch (OperationCanceledException)
        {
            Array.ForEach(paces, p => p?.GiveBack());
            throw;
        }
    }

    private Pace OfDomain(string domain)
    {
        if (_domains.Count > ManyDomains)
        {
            foreach (var (name, _) in _domains.Where(d => d.Value.IsRested))
            {
                _domains.TryRemove(name, out _);
            }
        }
        return _domains.GetOrAdd(domain, _ => new Pace(options.PerDomainPerMinute, time));
    }
}
