using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>One of a person's passkeys.</summary>
/// <param name="Name">What its owner calls it.</param>
/// <param name="UsedAt">When it last signed in; null: never yet.</param>
public sealed record PasskeyLine(Guid Id, string Name, DateTime CreatedAt, DateTime? UsedAt);

/// <summary>
/// A person's own passkeys. Who adds or removes one proves the account again; it ends all sessions and links, since it changes how the
/// account is signed in to (auth.renew_stamps).
/// </summary>
public sealed class Passkeys(
    Db db, WebAuthn webAuthn, IUserPasskeyStore<Account> store, SignIns signIns, AccountMails mails, RightsCache rights)
{
    private const int Most = 20;

    private const string OwnSql = """
        select id, name, created_at, used_at from auth.passkeys where user_id = @UserId order by created_at, id
        """;

    // Two that are removed at once are not both the last but one.
    private const string LockSql = "select from auth.users where id = @userId for update";

    private const string LastSql = """
        select exists (
          select from auth.users u
          where u.id = @userId and u.two_factor_enabled and u.authenticator_key is null
            and not exists (select from auth.passkeys p where p.user_id = u.id and p.id <> @id))
        """;

    private const string RemoveSql = "delete from auth.passkeys where id = @id and user_id = @userId";

    /// <summary>Has an account's passkeys go when it is saved; whether there are any, of which its owner is to be told.</summary>
    internal static async Task<bool> Lose(UserManager<Account> users, Account account)
    {
        account.LosesPasskeys = true;
        return (await users.GetPasskeysAsync(account)).Count > 0;
    }

    /// <summary>The caller's passkeys, the oldest first.</summary>
    public Task<IReadOnlyList<PasskeyLine>> Own(Caller caller, CancellationToken ct) =>
        db.Read(caller, session => session.Query<PasskeyLine>(OwnSql, new { caller.UserId }), ct);

    /// <summary>Asks the device for a new one. Refuses with ACCOUNT_INVALID, LOCKED_OUT.</summary>
    public async Task<PasskeyRequest> Begin(Account account, Proof proof)
    {
        await signIns.Again(account, proof);
        return await webAuthn.AskForNew(account);
    }

    /// <summary>Adds the one that the device made. Refuses with VALIDATION_FAILED, PASSKEY_REFUSED, UNPROCESSABLE (there are 20).</summary>
    public async Task Add(Account account, PasskeyAnswer? answer, string? name, CancellationToken ct)
    {
        new Validation().Required("name", name, 80).Check();
        var made = await webAuthn.Made(account, answer);
        if ((await store.GetPasskeysAsync(account, ct)).Count >= Most)
        {
            throw new Refusal(Reason.Unprocessable);
        }
        made.Name = name!.Trim();
        await store.AddOrUpdatePasskeyAsync(account, made, ct);
        await mails.Notice(account.Email!, "passkey");
    }

    /// <summary>
    /// Removes one. Refuses with NOT_FOUND, ACCOUNT_INVALID, LOCKED_OUT, LAST_FACTOR (the second factor is on, and has no other).
    /// </summary>
    public async Task Remove(Account account, Guid id, Proof proof, CancellationToken ct)
    {
        await signIns.Again(account, proof);
        await db.Run(Caller.Person(account.Id).AsService(), async session =>
        {
            var which = new { id, userId = account.Id };
            await session.Execute(LockSql, which);
            if (await session.Value<bool>(LastSql, which))
            {
                throw new Refusal(Reason.LastFactor);
            }
            await session.ExecuteOne(RemoveSql, which);
        }, ct);
        // Its sessions end here at once; the log tells the other nodes.
        rights.Forget([account.Id], []);
        await mails.Notice(account.Email!, "passkey");
    }
}
