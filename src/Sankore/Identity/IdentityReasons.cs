using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>The reasons that accounts are refused with.</summary>
public static class IdentityReasons
{
    private static readonly Dictionary<string, Reason> Book = new[]
    {
        Of("INVALID_CREDENTIALS", 401), Of("LOCKED_OUT", 401), Of("TWO_FACTOR_REQUIRED", 401), Of("EMAIL_TAKEN", 409),
        Of("EMAIL_INVALID", 400),
        Of("PASSKEY_REFUSED", 401), Of("LAST_FACTOR", 409), Of("LINK_INVALID", 410), Of("ACCOUNT_INVALID", 400),
        Of("REGISTRATION_CLOSED", 403),
    }.ToDictionary(r => r.Code);

    public static IEnumerable<Reason> All => Book.Values;

    extension(Reason)
    {
        /// <summary>E-mail address and password do not belong together.</summary>
        public static Reason InvalidCredentials => Book["INVALID_CREDENTIALS"];

        /// <summary>Too many wrong passwords: the account waits.</summary>
        public static Reason LockedOut => Book["LOCKED_OUT"];

        /// <summary>The account asks for its second factor.</summary>
        public static Reason TwoFactorRequired => Book["TWO_FACTOR_REQUIRED"];

        /// <summary>Another account has the address.</summary>
        public static Reason EmailTaken => Book["EMAIL_TAKEN"];

        /// <summary>Not an e-mail address.</summary>
        public static Reason EmailInvalid => Book["EMAIL_INVALID"];

        /// <summary>A device's answer that was for something else, came too late or twice, or of a passkey that nobody has.</summary>
        public static Reason PasskeyRefused => Book["PASSKEY_REFUSED"];

        /// <summary>The second factor is on, and this is all there is of it.</summary>
        public static Reason LastFactor => Book["LAST_FACTOR"];

        /// <summary>A one-time link that was used, has expired or never was.</summary>
        public static Reason LinkInvalid => Book["LINK_INVALID"];

        /// <summary>Something in the account's data; the fields say what.</summary>
        public static Reason AccountInvalid => Book["ACCOUNT_INVALID"];

        /// <summary>The operator has closed registration.</summary>
        public static Reason RegistrationClosed => Book["REGISTRATION_CLOSED"];
    }

    private static Reason Of(string code, int status) => new(code, status, typeof(Strings));
}
