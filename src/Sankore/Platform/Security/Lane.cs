using System.Threading.Channels;

namespace Sankore.Platform.Security;

/// <summary>
/// Questions that wait for an answer, and the readers that take as many of them together as have come: whoever asks while others are being
/// answered is answered with all who wait then.
/// </summary>
internal sealed class Lane<T>
{
    /// <summary>How many a reader takes at once.</summary>
    public const int MaxTogether = 500;

    private readonly Channel<T> _waiting = Channel.CreateUnbounded<T>();

    /// <summary>
    /// <paramref name="answer"/> answers some together and does not throw; <paramref name="readers"/> of them run at once. After more than
    /// one came together a reader waits for <paramref name="linger"/>, so that more come together.
    /// </summary>
    public Lane(Func<List<T>, Task> answer, int readers, TimeSpan linger)
    {
        for (var reader = 0; reader < readers; reader++)
        {
            _ = Read(answer, linger);
        }
    }

    /// <summary>Asks.</summary>
    public void Add(T question) => _waiting.Writer.TryWrite(question);

    private async Task Read(Func<List<T>, Task> answer, TimeSpan linger)
    {
        var together = new List<T>();
        while (await _waiting.Reader.WaitToReadAsync())
        {
            while (together.Count < MaxTogether && _waiting.Reader.TryRead(out var next))
            {
                together.Add(next);
            }
            if (together.Count == 0)
            {
                continue;
            }
            await answer(together);
            if (together.Count > 1 && linger > TimeSpan.Zero)
            {
                await Task.Delay(linger);
            }
            together.Clear();
        }
    }
}
