using Sankore.Platform.Security;

namespace Sankore.Rbac;

/// <summary>The reasons that rights are refused with.</summary>
public static class RbacReasons
{
    private static readonly Dictionary<string, Reason> Book = new[]
    {
        Of("SELF_GRANT", 403), Of("LAST_ADMIN", 409), Of("ROLE_UNKNOWN", 422), Of("EXPIRY_PAST", 422),
        Of("NOT_YOURS_TO_GIVE", 403),
    }.ToDictionary(r => r.Code);

    /// <summary>All of them; the database raises them (rbac.grant_role, rbac.revoke_role).</summary>
    public static IEnumerable<Reason> All => Book.Values;

    extension(Reason)
    {
        /// <summary>What is given would have ended already.</summary>
        public static Reason ExpiryPast => Book["EXPIRY_PAST"];

        /// <summary>There is no such role.</summary>
        public static Reason RoleUnknown => Book["ROLE_UNKNOWN"];
    }

    private static Reason Of(string code, int status) => new(code, status, typeof(Strings));
}
