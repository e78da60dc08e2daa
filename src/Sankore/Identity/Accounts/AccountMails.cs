using System.Net;
using System.Text;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Localization;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Identity;

/// <summary>The mails of ASP.NET Identity, through the one <see cref="Mailer"/>.</summary>
internal sealed class AccountMails(Db db, AppAddress address, IStringLocalizer<Strings> strings) : IEmailSender<Account>
{
    public Task SendConfirmationLinkAsync(Account user, string email, string confirmationLink) =>
        Send(email, "confirm", Own(confirmationLink));

    public Task SendPasswordResetLinkAsync(Account user, string email, string resetLink) => Send(email, "reset", Own(resetLink));

    // The framework's forgotPassword endpoint gives a code; people get a link to the page that takes it.
    public Task SendPasswordResetCodeAsync(Account user, string email, string resetCode) =>
        Send(email, "reset", ResetLink(email, WebUtility.HtmlDecode(resetCode)).ToString());

    /// <summary>
    /// Sends the link with which an account's password can be set anew, if there is such an account; says nothing either way.
    /// </summary>
    public async Task SendReset(UserManager<Account> users, string? email)
    {
        if (email is { Length: > 0 and <= 254 } && await users.FindByEmailAsync(email.Trim()) is { } account)
        {
            var code = WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes(await users.GeneratePasswordResetTokenAsync(account)));
            await SendPasswordResetCodeAsync(account, account.Email!, code);
        }
    }

    /// <summary>
    /// The framework makes its links from the request's Host header, which anybody can write: ours say the platform's own address.
    /// </summary>
    private string Own(string link) => address.Link(new Uri(WebUtility.HtmlDecode(link)).PathAndQuery).ToString();

    private Uri ResetLink(string email, string code) =>
        address.Link($"/reset?email={Uri.EscapeDataString(email)}&code={Uri.EscapeDataString(code)}");

    private Task Send(string email, string kind, string link) =>
        db.Run(Caller.Service, session =>
            session.SendMail(new Mail(email, strings[$"{kind}.subject"], strings[$"{kind}.text", link])), CancellationToken.None);
}
