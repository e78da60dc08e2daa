using System.Security.Cryptography;
using System.Text;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>Addresses that a mail server refused on a day with the same words.</summary>
/// <param name="Day">By the pages' clock.</param>
/// <param name="Words">What it said, without addresses and its own numbers; empty: nothing.</param>
/// <param name="Addresses">How many are not written to on that account.</param>
/// <param name="Senders">On how many people's lists.</param>
public sealed record BounceWave(DateOnly Day, string Words, long Addresses, long Senders)
{
    /// <summary>A name for it that says neither.</summary>
    internal string Key => "wave-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Day:O} {Words}")))[..16];
}

/// <summary>A wave that was taken back.</summary>
/// <param name="By">Who did, where the reader may see it.</param>
public sealed record UndoneWave(DateOnly Day, string Words, int Addresses, string? By, DateTime At);

/// <summary>Which wave.</summary>
/// <param name="Day"><c>yyyy-mm-dd</c>.</param>
public sealed record BounceWaveInput(string? Day, string? Words);

/// <summary>How many addresses are written to again.</summary>
public sealed record Undone(int Addresses);

/// <summary>
/// Waves of bounces over all senders, for operators: a mail server that refused everybody has put everybody on the lists, and that is taken
/// back at once.
/// </summary>
public sealed class BounceWaves(Db db)
{
    private const string ListSql = "select day, words, addresses, senders from campaigns.bounce_waves()";
    private const string UndoneSql = """
        select u.day, u.words, u.addresses, p.display_name as by, u.created_at as at
        from campaigns.bounce_undos u left join public.profiles p on p.id = u.undone_by order by u.created_at desc limit 20
        """;

    /// <summary>Those of the last 30 days, the latest first; the ten largest of each day.</summary>
    public Task<IReadOnlyList<BounceWave>> List(Caller caller, CancellationToken ct) =>
        db.Read(caller, session => session.Query<BounceWave>(ListSql), ct);

    /// <summary>The last twenty that were taken back.</summary>
    public Task<IReadOnlyList<UndoneWave>> Past(Caller caller, CancellationToken ct) =>
        db.Read(caller, session => session.Query<UndoneWave>(UndoneSql), ct);

    /// <summary>
    /// Writes to a wave's addresses again. Refuses with VALIDATION_FAILED, FORBIDDEN; a wave that is not there has none.
    /// </summary>
    public Task<Undone> Undo(Caller caller, BounceWaveInput wave, CancellationToken ct)
    {
        new Validation().That("day", Days.Start(wave.Day) is not null).Check();
        return db.Run(caller, async session => new Undone(await session.Value<int>(
            "select campaigns.undo_bounces(@Day::date, @words)", new { wave.Day, words = wave.Words ?? "" })), ct);
    }
}

/// <summary>Waves of bounces over HTTP.</summary>
internal static class BounceWavesApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("/api/campaigns/bounce-waves", "campaigns");
        api.MapGet("", List).Needs("operations.manage");
        api.MapPost("/undo", Undo).Needs("operations.manage");
    }

    private static Task<IReadOnlyList<BounceWave>> List(Caller caller, BounceWaves waves, CancellationToken ct) => waves.List(caller, ct);

    private static Task<Undone> Undo(Caller caller, BounceWaveInput wave, BounceWaves waves, CancellationToken ct) =>
        waves.Undo(caller, wave, ct);
}
