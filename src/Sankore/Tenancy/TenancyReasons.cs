using Sankore.Platform.Security;

namespace Sankore.Tenancy;

/// <summary>The reasons that the catalogue and the network refuse with.</summary>
public static class TenancyReasons
{
    private static readonly Dictionary<string, Reason> Book = new[]
    {
        Of("CODE_TAKEN", 409), Of("CODE_INVALID", 422), Of("CATEGORY_UNKNOWN", 422), Of("CATEGORY_IN_USE", 409), Of("SLUG_TAKEN", 409),
        Of("SLUG_INVALID", 422),
        Of("UNAUTHORIZED", 403), Of("ASSIGNER_EXPIRED", 403), Of("SELF_ASSIGNMENT", 403), Of("MODULE_REFUSED", 403),
        Of("SUBSCRIPTION_INACTIVE", 422), Of("MODULE_NOT_IN_PLAN", 422), Of("MODULE_INACTIVE", 422), Of("NOT_IN_SCHOOL", 422),
        Of("LAST_GROUP_ADMIN", 409), Of("PLAN_SLUG_TAKEN", 409), Of("GROUP_CODE_TAKEN", 409), Of("SCHOOL_CODE_TAKEN", 409),
        Of("SUBSCRIPTION_EXISTS", 409), Of("ALREADY_MEMBER", 409),
        Of("PLAN_UNKNOWN", 422), Of("MODULE_UNKNOWN", 422), Of("GROUP_UNKNOWN", 422), Of("SCHOOL_UNKNOWN", 422),
        Of("TRANSITION_INVALID", 422), Of("GROUP_CLOSED", 422), Of("SCHOOL_CLOSED", 422),
    }.ToDictionary(r => r.Code);

    public static IEnumerable<Reason> All => Book.Values;

    extension(Reason)
    {
        /// <summary>Another module has the code (document 002, « Codes de Modules »).</summary>
        public static Reason CodeTaken => Book["CODE_TAKEN"];

        /// <summary>No letter or digit is left of the code.</summary>
        public static Reason CodeInvalid => Book["CODE_INVALID"];

        /// <summary>The category does not exist.</summary>
        public static Reason CategoryUnknown => Book["CATEGORY_UNKNOWN"];

        /// <summary>Modules still belong to the category.</summary>
        public static Reason CategoryInUse => Book["CATEGORY_IN_USE"];

        /// <summary>Another category has the slug.</summary>
        public static Reason SlugTaken => Book["SLUG_TAKEN"];

        /// <summary>No letter or digit is left of the slug.</summary>
        public static Reason SlugInvalid => Book["SLUG_INVALID"];

        /// <summary>The caller does not administer the group, or the person is not of it.</summary>
        public static Reason Unauthorized => Book["UNAUTHORIZED"];

        /// <summary>The caller administered the group, and does no more.</summary>
        public static Reason AssignerExpired => Book["ASSIGNER_EXPIRED"];

        /// <summary>Nobody assigns to themselves.</summary>
        public static Reason SelfAssignment => Book["SELF_ASSIGNMENT"];

        /// <summary>The person does not work in the school that the assignment is for.</summary>
        public static Reason NotInSchool => Book["NOT_IN_SCHOOL"];

        /// <summary>The group has no live subscription.</summary>
        public static Reason SubscriptionInactive => Book["SUBSCRIPTION_INACTIVE"];

        /// <summary>The group's plan does not include the module, or any of the category.</summary>
        public static Reason ModuleNotInPlan => Book["MODULE_NOT_IN_PLAN"];

        /// <summary>The plan includes the module, and it cannot be used: it is inactive or not built.</summary>
        public static Reason ModuleInactive => Book["MODULE_INACTIVE"];

        /// <summary>The caller may not do this with the module; the message says which link of the chain fails.</summary>
        public static Reason ModuleRefused => Book["MODULE_REFUSED"];

        /// <summary>Another plan has the slug.</summary>
        public static Reason PlanSlugTaken => Book["PLAN_SLUG_TAKEN"];

        /// <summary>Another group has the code.</summary>
        public static Reason GroupCodeTaken => Book["GROUP_CODE_TAKEN"];

        /// <summary>Another school has the code.</summary>
        public static Reason SchoolCodeTaken => Book["SCHOOL_CODE_TAKEN"];

        /// <summary>The group has a live subscription already.</summary>
        public static Reason SubscriptionExists => Book["SUBSCRIPTION_EXISTS"];

        /// <summary>The person has that role there already.</summary>
        public static Reason AlreadyMember => Book["ALREADY_MEMBER"];

        /// <summary>There is no such plan.</summary>
        public static Reason PlanUnknown => Book["PLAN_UNKNOWN"];

        /// <summary>There is no such module.</summary>
        public static Reason ModuleUnknown => Book["MODULE_UNKNOWN"];

        /// <summary>There is no such group.</summary>
        public static Reason GroupUnknown => Book["GROUP_UNKNOWN"];

        /// <summary>The group has no such school.</summary>
        public static Reason SchoolUnknown => Book["SCHOOL_UNKNOWN"];

        /// <summary>A subscription does not go from the one state to the other.</summary>
        public static Reason TransitionInvalid => Book["TRANSITION_INVALID"];
    }

    private static Reason Of(string code, int status) => new(code, status, typeof(Strings));
}
