using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Identity;

/// <summary>The mails about accounts. Their links say the platform's own address, whatever a request called it.</summary>
public sealed class AccountMails(Db db, AppAddress address, IStringLocalizer<Strings> strings)
{
    /// <summary>The link with which a password can be set anew.</summary>
    public Mail ResetLink(Account account, string code) => Letter(account.Email!, "reset", address.Link(
        $"/reset?email={Uri.EscapeDataString(account.Email!)}&code={code}"));

    /// <summary>Sends the link that makes a new address an account's.</summary>
    public Task ChangeLink(Account account, string email, string code) => Send(Letter(email, "change", address.Link(
        $"/confirm?user={account.Id}&email={Uri.EscapeDataString(email)}&code={code}")));

    /// <summary>
    /// Tells the owner that how the account is signed in to has changed: <c>password</c>, <c>email</c>, <c>two_factor</c>,
    /// <c>two_factor_on</c>, <c>passkey</c>; and what to do if it was not they.
    /// </summary>
    public Task Notice(string email, string what) => Send(Letter(email, "notice." + what, address.Link("/forgot")));

    /// <summary>Tells the owner that the second factor is to be taken away, when, and how to stop it.</summary>
    public Mail RecoveryNotice(string email, DateTimeOffset due) =>
        new(email, strings["recovery.subject"], strings["recovery.text", Ui.Format.Moment(due.UtcDateTime), address.Link("/account")]);

    private Mail Letter(string email, string kind, Uri link) => new(email, strings[$"{kind}.subject"], strings[$"{kind}.text", link]);

    private Task Send(Mail mail) => db.Run(Caller.Service, session => session.SendMail(mail), CancellationToken.None);
}
