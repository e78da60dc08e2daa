using Microsoft.AspNetCore.Identity;

namespace Sankore.Identity;

/// <summary>An account of <c>auth.users</c>, as ASP.NET Identity handles it.</summary>
public sealed class Account : IdentityUser<Guid>
{
    /// <summary>A new account with a time-ordered id.</summary>
    public Account()
    {
        Id = Guid.CreateVersion7();
        SecurityStamp = Guid.NewGuid().ToString("N");
    }

    /// <summary>Whether the account belongs to the demo network; only such accounts may have the demo password.</summary>
    public bool IsDemo { get; set; }

    /// <summary>The authenticator's key, protected by data protection; null: there is none.</summary>
    public string? AuthenticatorKey { get; set; }

    /// <summary>Whether its passkeys go when it is saved.</summary>
    public bool LosesPasskeys { get; set; }

    /// <summary>Whether its passkeys sign in only beside the password once it is saved, until each was used so.</summary>
    public bool HalvesPasskeys { get; set; }

    /// <summary>Hashes of the recovery codes that are left.</summary>
    public string[] RecoveryCodes { get; set; } = [];

    /// <summary>The name that others see; written to the profile when the account is created.</summary>
    public string? DisplayName { get; set; }
}
