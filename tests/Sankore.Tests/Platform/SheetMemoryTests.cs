using Sankore.Platform.Files;

namespace Sankore.Tests.Platform;

/// <summary>A hundred thousand rows pass through and stay nowhere. Alone: what other tests keep would be counted.</summary>
[Collection(ProgramTests.Name)]
public sealed class SheetMemoryTests
{
    [Fact]
    public async Task A_hundred_thousand_rows_are_read_without_being_kept()
    {
        var rows = Enumerable.Range(0, 100_000)
            .Select(i => (string[])[$"Personne {i}", $"p{i}@exemple.cg", $"+242 06 {i:000000}", i % 7 == 0 ? "" : $"Ville {i % 97}"]);
        using var csv = new MemoryStream();
        await CsvExport.Write(csv, ';', rows.ToAsyncEnumerable(), TestContext.Current.CancellationToken);
        using var xlsx = new MemoryStream();
        await XlsxExport.Write(xlsx, "x", rows.ToAsyncEnumerable(), TestContext.Current.CancellationToken);
        foreach (var file in new[] { csv, xlsx })
        {
            var before = Kept();
            var (count, most) = (0, 0L);
            using var sheet = SheetFile.Open(file, Tables.Limits);
            foreach (var _ in sheet.Rows())
            {
                most = ++count % 40_000 == 0 ? Math.Max(most, Kept() - before) : most;
            }
            count.ShouldBe(100_000);
            sheet.Progress.ShouldBe(1, 0.01);
            most.ShouldBeLessThan(5_000_000);
        }
    }

    [Fact]
    public async Task A_hundred_thousand_rows_go_forwards_only_and_stay_nowhere()
    {
        var rows = Enumerable.Range(0, 100_000).Select(i => (string[])[$"Personne {i}", $"p{i}@exemple.cg", $"+242 06 {i:000000}"]);
        foreach (var write in new Func<Stream, Task>[]
        {
            to => XlsxExport.Write(to, "x", rows.ToAsyncEnumerable(), TestContext.Current.CancellationToken),
            to => CsvExport.Write(to, ';', rows.ToAsyncEnumerable(), TestContext.Current.CancellationToken),
        })
        {
            await using var to = new ForwardStream();
            await write(to);
            to.Written.ShouldBeGreaterThan(1_000_000);
            to.WasSynchronous.ShouldBeFalse("a server's answer is written asynchronously");
            to.MostKept.ShouldBeLessThan(20_000_000);
        }
    }

    /// <summary>What is in memory after one collection: asked for by itself, the runtime collects up to twenty times.</summary>
    private static long Kept()
    {
        GC.Collect();
        return GC.GetTotalMemory(forceFullCollection: false);
    }

    /// <summary>Like an answer on its way: forwards only, asynchronous, and gone.</summary>
    private sealed class ForwardStream : Stream
    {
        private readonly long _before = Kept();
        private long _looked;

        public long Written { get; private set; }

        public long MostKept { get; private set; }

        public bool WasSynchronous { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => WasSynchronous = true;

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => (Written, WasSynchronous) = (Written + count, true);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Written += buffer.Length;
            if (Written - _looked > 1_000_000)
            {
                (_looked, MostKept) = (Written, Math.Max(MostKept, Kept() - _before));
            }
            return ValueTask.CompletedTask;
        }
    }
}
