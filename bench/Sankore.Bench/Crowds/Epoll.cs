using System.Buffers.Binary;
using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Sankore.Bench.Crowds;

/// <summary>What happened to a descriptor, as bits of <c>epoll(7)</c>.</summary>
[Flags]
internal enum Ready : uint
{
    None = 0,
    Read = 0x1,
    Write = 0x4,
    Error = 0x8,
    HangUp = 0x10,
}

/// <summary>
/// Many descriptors waited for in one thread. Descriptors are told apart by a number of the caller's; -1 is <see cref="Wake"/>.
/// </summary>
internal sealed partial class Epoll : IDisposable
{
    private const int Add = 1, Delete = 2, Modify = 3;
    private const int MaxReady = 1024;

    // The kernel packs the structure on x86-64 alone.
    private static readonly int Stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int NumberAt = Stride - 8;

    private readonly int _epoll = Native.Checked(Native.EpollCreate(0x80000));
    private readonly int _wake = Native.Checked(Native.EventFd(0, 0x80800));
    private readonly byte[] _ready = new byte[MaxReady * Stride];

    public Epoll() => Watch(_wake, -1, Ready.Read);

    /// <summary>Begins to wait for a descriptor.</summary>
    public void Watch(int descriptor, int number, Ready what) => Control(Add, descriptor, number, what);

    /// <summary>Waits for something else of a descriptor; <see cref="Ready.None"/>: only for its end.</summary>
    public void Rewatch(int descriptor, int number, Ready what) => Control(Modify, descriptor, number, what);

    /// <summary>Waits no longer for a descriptor.</summary>
    public void Forget(int descriptor) => Control(Delete, descriptor, 0, Ready.None);

    /// <summary>Waits until something is ready. How many, to be asked for by <see cref="At"/>.</summary>
    public int Wait(int milliseconds)
    {
        var count = Native.EpollWait(_epoll, ref _ready[0], MaxReady, milliseconds);
        return count >= 0 || Marshal.GetLastPInvokeError() == Native.Interrupted ? Math.Max(count, 0)
            : throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>The descriptor's number, and what it is ready for.</summary>
    public (int Number, Ready What) At(int index)
    {
        var entry = _ready.AsSpan(index * Stride, Stride);
        return (MemoryMarshal.Read<int>(entry[NumberAt..]), (Ready)MemoryMarshal.Read<uint>(entry));
    }

    /// <summary>Ends the waiting, from any thread.</summary>
    public void Wake() => _ = Native.EventFdWrite(_wake, 1);

    /// <summary>Takes the waking back, so that the next one counts.</summary>
    public void Woken() => _ = Native.EventFdRead(_wake, out _);

    public void Dispose()
    {
        _ = Native.Close(_epoll);
        _ = Native.Close(_wake);
    }

    private void Control(int operation, int descriptor, int number, Ready what)
    {
        Span<byte> entry = stackalloc byte[Stride];
        MemoryMarshal.Write(entry, (uint)what);
        MemoryMarshal.Write(entry[NumberAt..], (long)number);
        Native.Checked(Native.EpollControl(_epoll, operation, descriptor, ref entry[0]));
    }
}

/// <summary>The calls of Linux that a socket without any object around it needs.</summary>
internal static partial class Native
{
    public const int Interrupted = 4, Again = 11, InProgress = 115;
    private const int NonBlocking = 0x800, CloseOnExec = 0x80000, NoSignal = 0x4000;

    /// <summary>
    /// A TCP connection on its way: watch it for <see cref="Ready.Write"/>. With <paramref name="from"/> the source address is chosen, and
    /// its port at connecting (IP_BIND_ADDRESS_NO_PORT), so that each address has as many connections as there are ports.
    /// </summary>
    /// <returns>The descriptor, or minus the error.</returns>
    public static int Connect(IPEndPoint to, IPAddress? from, int receiveBuffer)
    {
        var descriptor = Checked(Socket(2, 1 | NonBlocking | CloseOnExec, 0));
        var (one, size) = (1, receiveBuffer);
        _ = SetOption(descriptor, 6, 1, ref one, sizeof(int));
        if (receiveBuffer > 0)
        {
            _ = SetOption(descriptor, 1, 8, ref size, sizeof(int));
        }
        if (from is not null)
        {
            _ = SetOption(descriptor, 0, 24, ref one, sizeof(int));
            Checked(Bind(descriptor, ref Address(from, 0)[0], 16));
        }
        if (Connect(descriptor, ref Address(to.Address, to.Port)[0], 16) == 0 || Marshal.GetLastPInvokeError() == InProgress)
        {
            return descriptor;
        }
        var error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        return -error;
    }

    /// <summary>How many bytes came; 0 at the end; minus the error.</summary>
    public static int Receive(int descriptor, Span<byte> into)
    {
        var count = (int)Receive(descriptor, ref MemoryMarshal.GetReference(into), into.Length, 0);
        return count >= 0 ? count : -Marshal.GetLastPInvokeError();
    }

    /// <summary>How many bytes went; minus the error.</summary>
    public static int Send(int descriptor, ReadOnlySpan<byte> bytes)
    {
        var count = (int)Send(descriptor, ref MemoryMarshal.GetReference(bytes), bytes.Length, NoSignal);
        return count >= 0 ? count : -Marshal.GetLastPInvokeError();
    }

    public static int Checked(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    private static byte[] Address(IPAddress address, int port)
    {
        var bytes = new byte[16];
        MemoryMarshal.Write(bytes, (ushort)AddressFamily.InterNetwork);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)port);
        address.TryWriteBytes(bytes.AsSpan(4), out _);
        return bytes;
    }

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "eventfd_write")]
    public static partial int EventFdWrite(int descriptor, ulong value);

    [LibraryImport("libc", EntryPoint = "eventfd_read")]
    public static partial int EventFdRead(int descriptor, out ulong value);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, int descriptor, ref byte entry);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, ref byte entries, int max, int milliseconds);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int descriptor, int level, int name, ref int value, int size);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int descriptor, ref byte address, int size);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(int descriptor, ref byte address, int size);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int descriptor, ref byte into, nint size, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(int descriptor, ref byte bytes, nint size, int flags);
}
