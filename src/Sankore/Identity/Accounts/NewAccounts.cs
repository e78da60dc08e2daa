using System.Text.Json;
using Sankore.Platform.Data;
using Sankore.Platform.Mail;

namespace Sankore.Identity;

/// <summary>Somebody for whom an account is made before they have a password.</summary>
public sealed record NewAccount(Guid Id, string Email, string DisplayName, string? Phone)
{
    /// <summary>The key of the address.</summary>
    public string NormalizedEmail => Addresses.Key(Email);
}

/// <summary>
/// Accounts made for people who will set their password by a link of their own: many at once, in the caller's transaction.
/// </summary>
public static class NewAccounts
{
    private const string FindSql = "select id, normalized_email from auth.users where normalized_email = any (@emails)";

    private const string InsertSql = """
        with given
          as (select *
            from jsonb_to_recordset(@people::jsonb)
            as g ("Id" uuid, "Email" text, "NormalizedEmail" text, "DisplayName" text, "Phone" text)),
        account as (
          insert into auth.users (id, email, normalized_email, security_stamp, concurrency_stamp)
          select g."Id", g."Email", g."NormalizedEmail", md5(random()::text || g."Id"), md5(random()::text) from given g
          returning id)
        insert into public.profiles (id, email, display_name, phone)
        select g."Id", g."Email", g."DisplayName", g."Phone" from given g join account a on a.id = g."Id"
        """;

    private sealed record Known(Guid Id, string NormalizedEmail);

    /// <summary>Whose the addresses are that an account has; by the key of the address.</summary>
    public static Task<Dictionary<string, Guid>> FindAccounts(
        this Session session, IEnumerable<string> emails) => session.AsService(async s =>
        (await s.Query<Known>(FindSql, new { emails = emails.Select(Addresses.Key).Distinct().ToArray() }))
            .ToDictionary(k => k.NormalizedEmail, k => k.Id));

    /// <summary>Makes accounts without a password. Refuses with EMAIL_TAKEN.</summary>
    public static Task CreateAccounts(this Session session, IReadOnlyList<NewAccount> people) => people.Count == 0 ? Task.CompletedTask
        : session.AsService(s => s.Execute(InsertSql, new { people = JsonSerializer.Serialize(people) }));
}
