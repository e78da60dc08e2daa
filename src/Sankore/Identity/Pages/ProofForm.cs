namespace Sankore.Identity;

/// <summary>What a form takes that asks its owner to prove the account again.</summary>
internal class ProofForm
{
    public string? OldPassword { get; set; }

    public string? TwoFactorCode { get; set; }

    /// <summary>A passkey's answer as JSON, from the page's script.</summary>
    public string? Passkey { get; set; }

    /// <summary>What was given.</summary>
    public static Proof Of(ProofForm? form) => new(form?.OldPassword, form?.TwoFactorCode, PasskeyAnswer.Parse(form?.Passkey));
}
