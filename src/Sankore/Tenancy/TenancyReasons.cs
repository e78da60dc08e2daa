using Sankore.Platform.Security;

namespace Sankore.Tenancy;

/// <summary>The reasons that the catalogue and the network refuse with.</summary>
public static class TenancyReasons
{
    private static readonly Dictionary<string, Reason> Book = new[]
    {
        Of("CODE_TAKEN", 409), Of("CODE_INVALID", 422), Of("CATEGORY_UNKNOWN", 422), Of("CATEGORY_IN_USE", 409), Of("SLUG_TAKEN", 409), Of("SLUG_INVALID", 422),
    }.ToDictionary(r => r.Code);

    /// <summary>All of them.</summary>
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
    }

    private static Reason Of(string code, int status) => new(code, status, typeof(Strings));
}
