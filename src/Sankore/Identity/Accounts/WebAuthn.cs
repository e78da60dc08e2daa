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
public sealed partial class WebAuthn(
    Db db, IPasskeyHandler<Account> handler, IDataProtectionProvider protection, IHttpContextAccessor http, AppAddress address,
    IOptions<IdentityPasskeyOptions> options, ILogger<WebAuthn> logger)
{
    private const string Localhost = "localhost";

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    // Two answers at once that say the same count are two devices with one key, or one answer twice.
    private const string UseSql = """
        update auth.passkeys set sign_count = @count, is_backed_up = @IsBackedUp, used_at = now(), is_whole = is_whole or @besidePassword
        where credential_id = @CredentialId and (is_whole or @besidePassword) and (sign_count < @count or (sign_count = 0 and @count = 0))
        """;

    private readonly ITimeLimitedDataProtector _sealer =
        protection.CreateProtector("Sankore.Identity.Passkeys").ToTimeLimitedDataProtector();

    private HttpContext Http => http.HttpContext!;

    /// <summary>
    /// Whether browsers take passkeys at the address that the request came to: at the platform's own name, and by HTTPS or on this machine.
    /// </summary>
    public bool IsPossible
    {
        get
        {
            var (host, domain) = (Http.Request.Host.Host, options.Value.ServerDomain);
            return Takes(host, Http.Request.IsHttps)
                && (domain is null || host == domain || host.EndsWith('.' + domain, StringComparison.Ordinal));
        }
    }

    /// <summary>Where they do: the platform's own address, on this machine by its name; null: nowhere as it is set up.</summary>
    public Uri? Place => address.Base.IsLoopback
        ? new UriBuilder(Http.Request.Scheme, Localhost, Http.Request.Host.Port ?? -1).Uri
        : Takes(address.Base.Host, address.Base.Scheme == Uri.UriSchemeHttps) ? address.Base : null;

    /// <summary>Asks for any passkey of the device. It says nothing of who has one.</summary>
    public async Task<PasskeyRequest> Ask()
    {
        var made = await handler.MakeRequestOptionsAsync(null, Http);
        return Request(made.RequestOptionsJson, made.AssertionState!);
    }

    /// <summary>
    /// Whose passkey signed: one that signs in by itself, or any <paramref name="besidePassword"/>. Refuses with PASSKEY_REFUSED.
    /// </summary>
    public async Task<Account> Verify(PasskeyAnswer? answer, bool besidePassword)
    {
        var state = Unseal(answer);
        var result = await handler.PerformAssertionAsync(
            new PasskeyAssertionContext { HttpContext = Http, CredentialJson = Json(answer), AssertionState = state });
        Check(result.Failure);
        var used = await db.Run(Caller.Service, async session =>
            await Attempts.Answer.Count(session, state) > 1 ? 0 : await session.Execute(UseSql, new
            {
                result.Passkey!.CredentialId,
                result.Passkey.IsBackedUp,
                count = (long)result.Passkey.SignCount,
                besidePassword,
            }), default);
        return used == 1 ? result.User! : throw new Refusal(Reason.PasskeyRefused);
    }

    /// <summary>Asks for a new passkey of an account, as it is signed in to now.</summary>
    public async Task<PasskeyRequest> AskForNew(Account account)
    {
        var made = await handler.MakeCreationOptionsAsync(
            new() { Id = account.Id.ToString(), Name = account.Email!, DisplayName = account.Email! }, Http);
        return Request(made.CreationOptionsJson, account.SecurityStamp + made.AttestationState);
    }

    /// <summary>
    /// The new passkey that a device made for an account. Refuses with PASSKEY_REFUSED, also when something has changed how the account is
    /// signed in to since it was asked for.
    /// </summary>
    public async Task<UserPasskeyInfo> Made(Account account, PasskeyAnswer? answer)
    {
        var state = Unseal(answer);
        if (!state.StartsWith(account.SecurityStamp!, StringComparison.Ordinal))
        {
            throw new Refusal(Reason.PasskeyRefused);
        }
        var result = await handler.PerformAttestationAsync(new PasskeyAttestationContext
        {
            HttpContext = Http,
            CredentialJson = Json(answer),
            AttestationState = state[account.SecurityStamp!.Length..],
        });
        Check(result.Failure);
        return result.UserEntity!.Id == account.Id.ToString() ? result.Passkey! : throw new Refusal(Reason.PasskeyRefused);
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

    private static bool Takes(string host, bool isHttps) =>
        Uri.CheckHostName(host) == UriHostNameType.Dns && (isHttps || host == Localhost);

    // What the handler could not do is no fault of who asks, though it says so in the same way.
    private void Check(PasskeyException? failure)
    {
        if (failure?.InnerException is Refusal or System.Data.Common.DbException)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure.InnerException);
        }
        if (failure is not null)
        {
            LogRefused(logger, failure.Message);
            throw new Refusal(Reason.PasskeyRefused);
        }
    }

    private PasskeyRequest Request(string options, string state) => new(JsonElement.Parse(options), _sealer.Protect(state, Lifetime));

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

    [LoggerMessage(1401, LogLevel.Information, "A passkey was refused: {Why}")]
    private static partial void LogRefused(ILogger logger, string why);
}
