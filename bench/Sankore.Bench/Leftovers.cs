using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Sankore.Bench;

/// <summary>What a run must not leave behind or take away: servers that live on when the bench is ended early, and ports that somebody else uses.</summary>
internal static class Leftovers
{
    private static readonly Lock Guard = new();
    private static readonly List<IAsyncDisposable> Running = [];

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
            Running.Add(what);
        }
    }

    /// <summary>It is about to be stopped; false when somebody else does that already.</summary>
    public static bool Remove(IAsyncDisposable what)
    {
        lock (Guard)
        {
            return Running.Remove(what);
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
        IAsyncDisposable[] running;
        lock (Guard)
        {
            running = [.. Running.AsEnumerable().Reverse()];
        }
        foreach (var what in running)
        {
            what.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(20));
        }
        Environment.Exit(130);
    }

    private sealed class Registrations(params IDisposable[] all) : IDisposable
    {
        public void Dispose() => Array.ForEach(all, r => r.Dispose());
    }
}
