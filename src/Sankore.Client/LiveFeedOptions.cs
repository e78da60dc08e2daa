namespace Sankore.Client;

/// <summary>Where bearer tokens come from; <see cref="SankoreSession.Token"/> is one.</summary>
/// <param name="refused">The token that the server has just refused, which must not be given again; null when none was.</param>
/// <param name="ct">Cancels the asking.</param>
/// <returns>A token without the word <c>Bearer</c>. After an <see cref="HttpRequestException"/>, <see cref="IOException"/> or
/// <see cref="TimeoutException"/> the feed asks again later; any other exception ends it.</returns>
public delegate ValueTask<string> TokenSource(string? refused, CancellationToken ct);

/// <summary>How a <see cref="LiveFeed"/> behaves. The defaults are right for a Sankoré server.</summary>
public sealed class LiveFeedOptions
{
    /// <summary>Where bearer tokens come from; null: the client signs its requests itself (a cookie, a handler).</summary>
    public TokenSource? Token { get; init; }

    /// <summary>
    /// Where the position is kept between runs. The feed does not dispose it. In memory unless said otherwise: then every start of the
    /// process begins with a <see cref="Reset"/>.
    /// </summary>
    public ICursorStore Cursor { get; init; } = new MemoryCursorStore();

    /// <summary>How long to wait before connecting again as long as the server has not said (<c>retry:</c>): 1 s.</summary>
    public TimeSpan MinBackoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The most that is added at random to that wait. The bound begins at it, doubles with every attempt that fails, and ends here: 30 s.
    /// </summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A connection on which no byte comes for this long is dead: 60 s. The server sends a comment every 25 s.</summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Told of every connection that opens and ends, between two events, on any thread; what it throws ends the feed. For logs and for a
    /// lamp; nothing needs it.
    /// </summary>
    public Action<LiveState>? OnState { get; init; }

    /// <summary>The clock; for tests.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What the connection does: <see cref="Connected"/> or <see cref="Disconnected"/>.</summary>
public abstract record LiveState
{
    private protected LiveState()
    {
    }
}

/// <summary>The stream is open.</summary>
/// <param name="After">The position that it goes on after; null: none, the feed begins with a <see cref="Reset"/>.</param>
public sealed record Connected(long? After) : LiveState;

/// <summary>There is no stream: it ended, or could not be opened.</summary>
/// <param name="Reason">Why, in a few words.</param>
/// <param name="RetryIn">In how long the next attempt is made.</param>
/// <param name="Error">The exception behind it; null when the server ended the stream.</param>
public sealed record Disconnected(string Reason, TimeSpan RetryIn, Exception? Error) : LiveState;
