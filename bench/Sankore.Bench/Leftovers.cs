using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Sankore.Bench;

/// <summary>
/// What a run must not leave behind or take away: servers that live on when the bench is ended early, and ports that somebody else uses.
/// </summary>
internal static class Leftovers
{
    private static readonly Lock Guard = new();
    private static readonly OrderedDictionary<IAsyncDisposable, Task?> Running = [];

    /// <summary>Whether a signal has come.</summary>
    public static bool AreBeingStopped { get; private set; }

    /// <summary>From now on SIGTERM and Ctrl-C stop what is running before the bench ends.</summary>
    public static IDisposable StopOnSignal()
    {
        var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return new Registrations(interrupt, terminate);
    }

    /// <summary>Something is running.</summary>
    public static void Add(IAsyncDisposable what)
    {
        lock (Guard)
        {
            Running.Add(what, null);
        }
    }

    /// <summary>Stops something, once: whoever asks again, waits for the same.</summary>
    public static ValueTask Once(IAsyncDisposable what, Func<Task> stop)
    {
        lock (Guard)
        {
            return new ValueTask(Running[what] ??= stop());
        }
    }

    /// <summary>Ports that nobody listens at, one after the other, below those that outgoing connections get.</summary>
    public static int FreePorts(int count)
    {
        while (true)
        {
            var first = Random.Shared.Next(10_000, 30_000);
            if (Enumerable.Range(first, count).All(IsFree))
            {
                return first;
            }
        }
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port) { ExclusiveAddressUse = true };
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        AreBeingStopped = true;
        // What was started last goes first; something may still be starting meanwhile.
        while (Unstopped() is { } what)
        {
            what.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(30));
        }
        Task[] stopping;
        lock (Guard)
        {
            stopping = [.. Running.Values.OfType<Task>()];
        }
        Task.WaitAll(stopping, TimeSpan.FromSeconds(30));
        Environment.Exit(130);
    }

    private static IAsyncDisposable? Unstopped()
    {
        lock (Guard)
        {
            return Running.LastOrDefault(r => r.Value is null).Key;
        }
    }

    private sealed class Registrations(params IDisposable[] all) : IDisposable
    {
        public void Dispose() => Array.ForEach(all, r => r.Dispose());
    }
}
