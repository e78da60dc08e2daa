using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>
/// The store's passkeys. Adding or removing one changes the stamps of the account (auth.renew_stamps), so it is asked of the store, and not
/// of <see cref="UserManager{TUser}"/>, which would save the account as it was before.
/// </summary>
public sealed partial class AccountStore
{
    private const string PasskeySql = """
        select credential_id, public_key, sign_count, transports, is_backup_eligible, is_backed_up, name, created_at from auth.passkeys
        """;

    // Once for each stamp: what was asked for before anything changed how the account is signed in to adds nothing.
    private const string AddPasskeySql = """
        with account as (select id from auth.users where id = @userId and security_stamp = @stamp for update)
        insert into auth.passkeys (
          id, user_id, name, credential_id, public_key, sign_count, transports, is_backup_eligible, is_backed_up)
        select @id, account.id, @Name, @CredentialId, @PublicKey, @count, @transports, @IsBackupEligible, @IsBackedUp from account
        """;

    // What a device may say of how it is reached (WebAuthn level 3, 5.8.4).
    private static readonly string[] Transports = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"];

    private sealed record PasskeyRow(byte[] CredentialId, byte[] PublicKey, long SignCount, string[] Transports, bool IsBackupEligible,
        bool IsBackedUp, string Name, DateTime CreatedAt)
    {
        // Every passkey has its owner verified; what its maker said of itself is not kept.
        public UserPasskeyInfo ToPasskey() => new(CredentialId, PublicKey, CreatedAt, (uint)SignCount, Transports, isUserVerified: true,
            IsBackupEligible, IsBackedUp, attestationObject: [], clientDataJson: [])
        { Name = Name };
    }

#pragma warning disable CS1591 // The interface's own members say what they mean.
    public async Task AddOrUpdatePasskeyAsync(Account user, UserPasskeyInfo passkey, CancellationToken cancellationToken)
    {
        var added = await db.Run(Caller.Person(user.Id).AsService(), session => session.Execute(AddPasskeySql, new
        {
            id = Guid.CreateVersion7(),
            userId = user.Id,
            stamp = user.SecurityStamp,
            passkey.Name,
            passkey.CredentialId,
            passkey.PublicKey,
            count = (long)passkey.SignCount,
            transports = Transports.Intersect(passkey.Transports ?? []).ToArray(),
            passkey.IsBackupEligible,
            passkey.IsBackedUp,
        }), cancellationToken);
        if (added == 0)
        {
            throw new Refusal(Reason.PasskeyRefused);
        }
        rights.Forget([user.Id], []);
    }

    public async Task<IList<UserPasskeyInfo>> GetPasskeysAsync(Account user, CancellationToken cancellationToken)
    {
        var rows = await db.Read(Caller.Service, session => session.Query<PasskeyRow>(
            PasskeySql + " where user_id = @Id order by created_at, id", new { user.Id }), cancellationToken);
        return [.. rows.Select(r => r.ToPasskey())];
    }

    public Task<Account?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) => Find(
        SelectSql + " where id = (select user_id from auth.passkeys where credential_id = @credentialId)", new { credentialId },
        cancellationToken);

    public async Task<UserPasskeyInfo?> FindPasskeyAsync(Account user, byte[] credentialId, CancellationToken cancellationToken)
    {
        var row = await db.Read(Caller.Service, session => session.Find<PasskeyRow>(
            PasskeySql + " where user_id = @Id and credential_id = @credentialId", new { user.Id, credentialId }), cancellationToken);
        return row?.ToPasskey();
    }

    public async Task RemovePasskeyAsync(Account user, byte[] credentialId, CancellationToken cancellationToken)
    {
        await db.Run(Caller.Person(user.Id).AsService(), session => session.Execute(
            "delete from auth.passkeys where user_id = @Id and credential_id = @credentialId", new { user.Id, credentialId }),
            cancellationToken);
        rights.Forget([user.Id], []);
    }
#pragma warning restore CS1591
}
