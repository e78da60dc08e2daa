using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Sankore.Platform.Live;

/// <summary>
/// What is asked of the system itself: the one call that is made for every event and stream, without what <see cref="Socket"/> does around
/// it (0.7 of 10 µs, docs/benchmarks.md), and how many descriptors there are.
/// </summary>
internal static partial class Kernel
{
    private const int DoNotWait = 0x40, NoSignal = 0x4000, OpenFiles = 7;

    /// <summary>
    /// The descriptor of a socket to be written to; -1 where the system is not Linux: everything goes through the socket.
    /// </summary>
    public static int Descriptor(Socket socket) => OperatingSystem.IsLinux() && !socket.SafeHandle.IsClosed ? (int)socket.Handle : -1;

    /// <summary>
    /// Writes without waiting. Whoever calls it knows that the descriptor is still the socket's: a shard closes the sockets of its streams
    /// itself.
    /// </summary>
    /// <returns>How many bytes were taken; -1: none, and the socket knows why.</returns>
    public static int Send(int descriptor, byte[] bytes) => (int)Send(descriptor, in bytes[0], bytes.Length, DoNotWait | NoSignal);

    /// <summary>
    /// How many descriptors, and so connections and files, this process may have; as good as endless where that is not known.
    /// </summary>
    public static int MaxDescriptors =>
        OperatingSystem.IsLinux() && GetLimit(OpenFiles, out var limit) == 0 ? (int)Math.Min(limit.Current, int.MaxValue) : int.MaxValue;

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "send")]
    private static partial nint Send(int descriptor, in byte bytes, nint length, int flags);

    private readonly record struct Limit(ulong Current, ulong Most);
}
