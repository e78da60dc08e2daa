using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Identity;

/// <summary>What a device is asked to sign.</summary>
/// <param name="Options">The options of <c>navigator.credentials.get</c> or <c>.create</c>, their bytes in base64url.</param>
/// <param name="State">What the answer is checked against: sealed, good for ten minutes and one answer.</param>
public sealed record PasskeyRequest(JsonElement Options, string State);

/// <summary>What a device answered.</summary>
/// <param name="State">That of the request.</param>
/// <param name="Credential">The credential as <c>PublicKeyCredential.toJSON</c> writes it.</param>
public sealed record PasskeyAnswer(string? State, JsonElement? Credential)
{
    /// <summary>The answer that a form carries as JSON; null when there is none.</summary>
    public static PasskeyAnswer? Parse(string? json)
    {
        try
        {
            return string.IsNullOrEmpty(json) ? null : JsonSerializer.Deserialize<PasskeyAnswer>(json, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            return new PasskeyAnswer(null, null);
        }
    }
}

/// <summary>
/// Asking a device to sign with a passkey, and checking what it answers: the framework's handler (WebAuthn level 3, 7.1 and 7.2), and what
/// it leaves to us, that each answer counts once. Every passkey has had its owner verified by a finger, a face or a PIN, so it is two
/// factors in one.
/// </summary>
public sealed class WebAuthn(
    Db db, IPasskeyHandler<Account> handler, IDataProtectionProvider protection, IHttpContextAccessor http, AppAddress address,
    IOptions<IdentityPasskeyOptions> options)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    // Two answers at once that say the same count are two devices with one key, or one answer twice.
    private const string UseSql = """
        update auth.passkeys set sign_count = @count, is_backed_up = @IsBackedUp, used_at = now()
        where credential_id = @CredentialId and (sign_count < @count or (sign_count = 0 and @count = 0))
        """;

    private readonly ITimeLimitedDataProtector _sealer =
        protection.CreateProtector("Sankore.Identity.Passkeys").ToTimeLimitedDataProtector();

    private HttpContext Http => http.HttpContext!;

    /// <summary>
    /// Whether browsers take passkeys at the address that the request came to: at a name, the platform's own, never at an IP address.
    /// </summary>
    public bool IsPossible
    {
        get
        {
            var (host, domain) = (Http.Request.Host.Host, options.Value.ServerDomain);
            return Uri.CheckHostName(host) == UriHostNameType.Dns
                && (domain is null || host == domain || host.EndsWith('.' + domain, StringComparison.Ordinal));
        }
    }

    /// <summary>Where passkeys are possible: at the platform's own address; on this machine, by its name.</summary>
    public Uri Place => address.Base.IsLoopback
        ? new UriBuilder(Http.Request.Scheme, "localhost", Http.Request.Host.Port ?? -1).Uri : address.Base;

    /// <summary>Asks for any passkey of the device. It says nothing of who has one.</summary>
    public async Task<PasskeyRequest> Ask()
    {
        var made = await handler.MakeRequestOptionsAsync(null, Http);
        return Request(made.RequestOptionsJson, made.AssertionState);
    }

    /// <summary>Whose passkey signed. Refuses with PASSKEY_REFUSED.</summary>
    public async Task<Account> Verify(PasskeyAnswer? answer)
    {
        var state = Unseal(answer);
        var result = await handler.PerformAssertionAsync(
            new PasskeyAssertionContext { HttpContext = Http, CredentialJson = Json(answer), AssertionState = state });
        if (!result.Succeeded || !await Counts(result.Passkey, state))
        {
            throw new Refusal(Reason.PasskeyRefused);
        }
        return result.User;
    }

    /// <summary>Asks for a new passkey of an account.</summary>
    public async Task<PasskeyRequest> AskForNew(Account account)
    {
        var made = await handler.MakeCreationOptionsAsync(
            new() { Id = account.Id.ToString(), Name = account.Email!, DisplayName = account.Email! }, Http);
        return Request(made.CreationOptionsJson, made.AttestationState);
    }

    /// <summary>The new passkey that a device made for an account. Refuses with PASSKEY_REFUSED.</summary>
    public async Task<UserPasskeyInfo> Made(Account account, PasskeyAnswer? answer)
    {
        var result = await handler.PerformAttestationAsync(
            new PasskeyAttestationContext { HttpContext = Http, CredentialJson = Json(answer), AttestationState = Unseal(answer) });
        return result.Succeeded && result.UserEntity.Id == account.Id.ToString() ? result.Passkey
            : throw new Refusal(Reason.PasskeyRefused);
    }

    /// <summary>The platform's rules for the framework's handler.</summary>
    internal static void Configure(IdentityPasskeyOptions options, IConfiguration configuration)
    {
        options.UserVerificationRequirement = options.ResidentKeyRequirement = "required";
        // Who made a device is nobody's business.
        options.AttestationConveyancePreference = "none";
        options.ServerDomain = configuration["Sankore:PublicUrl"] is { } url ? new Uri(url).Host : null;
        options.ValidateOrigin = context =>
            ValueTask.FromResult(!context.CrossOrigin && OwnOrigin.IsOwn(context.HttpContext, context.Origin));
    }

    private Task<bool> Counts(UserPasskeyInfo passkey, string state) => db.Run(Caller.Service, async session =>
        await Attempts.Answer.Count(session, state) == 1
        && await session.Execute(UseSql, new { passkey.CredentialId, passkey.IsBackedUp, count = (long)passkey.SignCount }) == 1, default);

    private PasskeyRequest Request(string options, string? state) =>
        new(JsonElement.Parse(options), _sealer.Protect(state!, Lifetime));

    private string Unseal(PasskeyAnswer? answer)
    {
        try
        {
            return _sealer.Unprotect(answer?.State ?? "");
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            throw new Refusal(Reason.PasskeyRefused);
        }
    }

    private static string Json(PasskeyAnswer? answer) =>
        answer?.Credential is { ValueKind: JsonValueKind.Object } json ? json.GetRawText() : "{}";
}
