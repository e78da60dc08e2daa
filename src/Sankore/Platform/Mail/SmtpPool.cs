using MimeKit;

namespace Sankore.Platform.Mail;

/// <summary>Which mail goes first.</summary>
public enum MailKind
{
    /// <summary>Somebody waits for it: a link, an invitation.</summary>
    Transactional,

    /// <summary>One of many, such as a campaign's.</summary>
    Bulk,
}

/// <summary>
/// A node's connections to the mail server: at most so many, kept for the next mail, closed when there is none for a while. Bulk leaves
/// one of them to transactional mail.
/// </summary>
public sealed class SmtpPool(SmtpOptions options, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan IdleFor = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Stack<(SmtpConnection Connection, DateTimeOffset Since)> _idle = new();
    private readonly SemaphoreSlim _all = new(options.Connections);
    private readonly SemaphoreSlim _bulk = new(Math.Max(1, options.Connections - 1));
    private readonly Paces _paces = new(options, time);
    private readonly AccessTokens? _tokens = options.OAuth is { } oauth ? new AccessTokens(oauth, time) : null;
    private ITimer? _sweep;
    private bool _disposed;

    /// <summary>
    /// Sends one mail when it is its turn and a connection is free. A connection that turns out to be dead before the mail has left is
    /// replaced once. Nothing can have been delivered with the results <see cref="SmtpConnection.SendAsync"/> names, nor when this
    /// throws.
    /// </summary>
    /// <param name="envelope">From and to whom.</param>
    /// <param name="message">As <see cref="MailMessage.Build"/> makes it.</param>
    /// <param name="kind">Which mail goes first.</param>
    /// <param name="leaving">Called when nothing is left to wait for but the server, before the first byte of the mail: the place to
    /// write down that it is on its way. What it throws is thrown, and nothing is sent.
    /// </param>
    /// <param name="ct">Calls it off.</param>
    /// <exception cref="OperationCanceledException">It was called off while it waited for its turn.</exception>
    public async Task<SmtpResult> SendAsync(
        Envelope envelope, MimeMessage message, MailKind kind, Func<CancellationToken, Task>? leaving, CancellationToken ct)
    {
        await _paces.Take(envelope.To.Domain, kind, ct);
        var gates = kind == MailKind.Bulk ? (SemaphoreSlim[])[_bulk, _all] : [_all];
        var passed = 0;
        try
        {
            for (; passed < gates.Length; passed++)
            {
                await gates[passed].WaitAsync(ct);
            }
            return await Send(envelope, message, leaving, ct);
        }
        catch (SmtpConnectionException e)
        {
            return new SmtpResult(SmtpOutcome.NotSent, e.Phase, e.Code, null, e.Message);
        }
        finally
        {
            Array.ForEach(gates[..passed], gate => gate.Release());
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _disposed = true;
            _sweep?.Dispose();
        }
        while (TakeIdle() is { } connection)
        {
            await connection.DisposeAsync();
        }
        _tokens?.Dispose();
        // The semaphores are not disposed: mails that are still on their way give them back.
    }

    private async Task<SmtpResult> Send(
        Envelope envelope, MimeMessage message, Func<CancellationToken, Task>? leaving, CancellationToken ct)
    {
        var kept = TakeIdle();
        var connection = kept ?? await SmtpConnection.OpenAsync(options, _tokens, ct);
        try
        {
            await (leaving?.Invoke(ct) ?? Task.CompletedTask);
            var result = await connection.SendAsync(envelope, message, ct);
            if (result.Outcome == SmtpOutcome.NotSent && kept is not null && !ct.IsCancellationRequested)
            {
                await connection.DisposeAsync();
                connection = await SmtpConnection.OpenAsync(options, _tokens, ct);
                result = await connection.SendAsync(envelope, message, ct);
            }
            return result;
        }
        finally
        {
            await GiveBack(connection);
        }
    }

    private SmtpConnection? TakeIdle()
    {
        lock (_lock)
        {
            return _idle.TryPop(out var idle) ? idle.Connection : null;
        }
    }

    private async Task GiveBack(SmtpConnection connection)
    {
        if (connection.IsUsable && connection.Offered < options.MailsPerConnection)
        {
            lock (_lock)
            {
                if (!_disposed)
                {
                    _idle.Push((connection, time.GetUtcNow()));
                    _sweep ??= time.CreateTimer(_ => Sweep(), null, IdleFor, Timeout.InfiniteTimeSpan);
                    return;
                }
            }
        }
        await connection.DisposeAsync();
    }

    /// <summary>Closes those that nobody has used for a while; the stack has the longest idle at its bottom.</summary>
    private void Sweep()
    {
        List<SmtpConnection> old;
        lock (_lock)
        {
            _sweep?.Dispose();
            _sweep = null;
            var now = time.GetUtcNow();
            var young = _idle.Where(i => now - i.Since < IdleFor).Reverse().ToList();
            old = [.. _idle.Where(i => now - i.Since >= IdleFor).Select(i => i.Connection)];
            _idle.Clear();
            young.ForEach(_idle.Push);
            if (young.Count > 0 && !_disposed)
            {
                _sweep = time.CreateTimer(_ => Sweep(), null, IdleFor - (now - young[0].Since), Timeout.InfiniteTimeSpan);
            }
        }
        foreach (var connection in old)
        {
            _ = connection.DisposeAsync().AsTask();
        }
    }
}
