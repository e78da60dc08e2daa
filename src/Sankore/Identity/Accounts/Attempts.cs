using Sankore.Platform.Data;

namespace Sankore.Identity;

/// <summary>
/// What nobody may try without end, counted for a while by what it is tried with: an address, an account. Counted in the database, for all
/// nodes together, and alike whether or not there is such an account.
/// </summary>
public sealed record Attempts(string Kind, int Most, TimeSpan Window)
{
    /// <summary>Wrong passwords for an address.</summary>
    public static readonly Attempts Password = new("password", 5, TimeSpan.FromMinutes(5));

    /// <summary>Wrong codes of a second factor, once the password was right.</summary>
    public static readonly Attempts Factor = new("factor", 5, TimeSpan.FromMinutes(5));

    /// <summary>Mails to an address that somebody who is not signed in has asked for.</summary>
    public static readonly Attempts Mail = new("mail", 5, TimeSpan.FromHours(1));

    /// <summary>Answers of a device to one request to sign: each counts once.</summary>
    public static readonly Attempts Answer = new("answer", 1, TimeSpan.FromMinutes(10));

    private const string CountSql = """
        insert into auth.attempts as a (kind, key_hash, ends_at) values (@Kind, sha256(convert_to(@key, 'UTF8')), now() + @Window)
        on conflict on constraint attempts_pkey do update
          set count = case when a.ends_at <= now() then 1 else least(a.count + 1, 1000000) end,
              ends_at = case when a.ends_at <= now() then excluded.ends_at else a.ends_at end
        returning count
        """;

    private const string ExhaustedSql = """
        select exists (
          select from auth.attempts
          where kind = @Kind and key_hash = sha256(convert_to(@key, 'UTF8')) and ends_at > now() and count >= @Most)
        """;

    private const string ForgetSql = "delete from auth.attempts where kind = @Kind and key_hash = sha256(convert_to(@key, 'UTF8'))";

    /// <summary>Counts one more, as the server; how many there are.</summary>
    public Task<int> Count(Session server, string key) => server.Value<int>(CountSql, new { Kind, key, Window });

    /// <summary>Whether no more are allowed for now.</summary>
    public Task<bool> AreExhausted(Session server, string key) => server.Value<bool>(ExhaustedSql, new { Kind, key, Most });

    /// <summary>Begins to count anew: it was not a guess.</summary>
    public Task Forget(Session server, string key) => server.Execute(ForgetSql, new { Kind, key });
}
