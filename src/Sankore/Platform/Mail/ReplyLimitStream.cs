using System.Net.Sockets;

namespace Sankore.Platform.Mail;

/// <summary>
/// A connection on which the other side may say so much in answer to what it was told, and no more: MailKit would read a reply without an
/// end for ever.
/// </summary>
internal sealed class ReplyLimitStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
{
    private const int MaxReply = 256 * 1024;

    private int _left = MaxReply;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Counted(await base.ReadAsync(buffer, cancellationToken));

    public override async Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Counted(await base.ReadAsync(buffer.AsMemory(offset, count), cancellationToken));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _left = MaxReply;
        return base.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private int Counted(int read) => (_left -= read) >= 0 ? read : throw new IOException("the server's reply does not end");
}
