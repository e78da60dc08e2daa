using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>What ASP.NET Identity's error codes mean to people, field by field.</summary>
public static class IdentityRefusals
{
    /// <summary>Throws the refusal that a failed result stands for.</summary>
    public static void Check(this IdentityResult result)
    {
        if (!result.Succeeded)
        {
            throw From(result.Errors.Select(e => e.Code));
        }
    }

    /// <summary>The refusal for some of the framework's error codes.</summary>
    public static Refusal From(IEnumerable<string> codes)
    {
        var list = codes.ToList();
        if (list.Exists(c => c is "DuplicateEmail" or "DuplicateUserName"))
        {
            return Refusal.At("email", Reason.EmailTaken);
        }
        if (list.TrueForAll(c => c is "InvalidEmail" or "InvalidUserName"))
        {
            return Refusal.At("email", Reason.EmailInvalid);
        }
        var fields = new Dictionary<string, FieldError>();
        foreach (var code in list)
        {
            var (field, key) = code switch
            {
                "InvalidEmail" or "InvalidUserName" => ("email", "EMAIL_INVALID"),
                "PasswordMismatch" => ("oldPassword", "password.mismatch"),
                "PasswordTooShort" => ("password", "password.short"),
                "PasswordIsDemo" => ("password", "password.demo"),
                "PasswordIsEmail" => ("password", "password.email"),
                "OldPasswordRequired" => ("oldPassword", "field.required"),
                "InvalidToken" => ("resetCode", "LINK_INVALID"),
                "CannotResetSharedKeyAndEnable" or "RequiresTwoFactor" or "InvalidTwoFactorCode" => ("twoFactorCode", "two_factor.invalid"),
                "InvalidPasskey" => ("passkey", "PASSKEY_REFUSED"),
                _ => ("", "field.invalid"),
            };
            fields.TryAdd(field, new FieldError(key));
        }
        return new Refusal(Reason.AccountInvalid) { Fields = fields };
    }
}
