using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>Accounts, sign-in by cookie or bearer token, profiles.</summary>
public sealed class IdentityModule : SankoreModule
{
    /// <summary>The rate limit of everything that takes a password.</summary>
    public const string SignInLimit = "sign-in";

    /// <summary>Whether people may register themselves (<c>Sankore:Registration</c>: <c>open</c>, the default, or <c>closed</c>).</summary>
    public static bool IsRegistrationOpen(IConfiguration configuration) => configuration["Sankore:Registration"] is not "closed";

    public override IEnumerable<Reason> Reasons => IdentityReasons.All;

    public override IReadOnlyDictionary<string, Reason> Constraints { get; } = new Dictionary<string, Reason>
    {
        ["users_normalized_email_unique"] = Reason.EmailTaken,
        ["users_email_check"] = Reason.EmailInvalid,
        ["profiles_display_name_check"] = Reason.AccountInvalid,
        ["recoveries_user_id_open_unique"] = Reason.Conflict,
        ["passkeys_credential_id_unique"] = Reason.PasskeyRefused,
        ["profiles_username_unique"] = Reason.Conflict,
    };

    public override string RightsSql => """
        select user_id, 'session' as kind, array_agg(id || ' ' || extract(epoch from seen_at)::bigint) as items
        from auth.sessions where user_id = any(@userIds) and ends_at > now() group by user_id
        """;

    public override IEnumerable<RecurringWork> Recurring =>
    [
        new("sessions: delete those that are over", TimeSpan.FromHours(1), "delete from auth.sessions where ends_at <= now()"),
        new(
            "signing keys: delete those that signed nothing for a week", TimeSpan.FromDays(1),
            "delete from auth.signing_keys where created_at < now() - interval '97 days'"
            + " and exists (select from auth.signing_keys k"
            + " where k.created_at between now() - interval '90 days' and now() - interval '7 days')"),
        new("attempts: delete those that are over", TimeSpan.FromHours(1), "delete from auth.attempts where ends_at <= now()"),
    ];

    public override void Services(IServiceCollection services, IConfiguration configuration)
    {
        services.AddDataProtection().SetApplicationName("Sankore");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(sp => new ConfigureOptions<KeyManagementOptions>(
            o => o.XmlRepository = ActivatorUtilities.CreateInstance<KeyRing>(sp)));
        services.AddSingleton<SigningKeys>();
        AddAccounts(services);
        AddSignIn(services);
    }

    private static void AddAccounts(IServiceCollection services)
    {
        services.AddIdentityCore<Account>(o =>
        {
            o.User.RequireUniqueEmail = true;
            o.User.AllowedUserNameCharacters = "";
            o.Password.RequiredLength = 10;
            o.Password.RequireDigit = o.Password.RequireLowercase = o.Password.RequireUppercase = o.Password.RequireNonAlphanumeric = false;
        })
            .AddSignInManager().AddDefaultTokenProviders()
            .AddUserStore<AccountStore>().AddPasswordValidator<PasswordRules>().AddUserValidator<AddressRule>();
        services.PostConfigure<IdentityOptions>(o =>
        {
            // Of the framework's second factors we have the authenticator: these would ask the store for telephone numbers, and mail codes.
            o.Tokens.ProviderMap.Remove(TokenOptions.DefaultPhoneProvider);
            o.Tokens.ProviderMap.Remove(TokenOptions.DefaultEmailProvider);
            o.Tokens.ProviderMap[TokenOptions.DefaultAuthenticatorProvider] = new(typeof(AuthenticatorCodes));
        });
        services.AddSingleton<ILookupNormalizer, AddressNormalizer>();
        services.AddScoped<AuthenticatorCodes>().AddScoped<AccountMails>().AddScoped<Sessions>().AddScoped<SignIns>();
        services.AddOptions<IdentityPasskeyOptions>().Configure<IConfiguration>(WebAuthn.Configure);
        services.AddScoped<WebAuthn>().AddScoped<Passkeys>();
        services.AddScoped(sp => (IUserPasskeyStore<Account>)sp.GetRequiredService<IUserStore<Account>>());
        services.AddScoped(sp => (IUserAuthenticatorKeyStore<Account>)sp.GetRequiredService<IUserStore<Account>>());
        services.AddScoped<Recoveries>().AddSingleton<IJobHandler, RecoveryJob>();
        services.AddScoped<Accounts>().AddScoped<Profiles>().AddScoped<Photos>();
        services.AddSingleton<IJobHandler, PasswordResetJob>();
    }

    private static void AddSignIn(IServiceCollection services)
    {
        var authentication = services.AddAuthentication(o =>
        {
            o.DefaultScheme = "Sankore";
            o.DefaultSignInScheme = IdentityConstants.ApplicationScheme;
        });
        authentication.AddPolicyScheme("Sankore", null, o => o.ForwardDefaultSelector = SchemeOf);
        authentication.AddBearerToken(IdentityConstants.BearerScheme, o => o.BearerTokenExpiration = TimeSpan.FromHours(1));
        authentication.AddIdentityCookies();
        services.ConfigureApplicationCookie(o =>
        {
            o.Cookie.Name = "sankore";
            o.Cookie.HttpOnly = true;
            o.Cookie.SameSite = SameSiteMode.Lax;
            o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            o.ExpireTimeSpan = TimeSpan.FromDays(14);
            o.SlidingExpiration = true;
            // The session is looked for at every request among the cached rights; the framework's periodic look at the table is not needed.
            o.Events.OnValidatePrincipal = _ => Task.CompletedTask;
        });
    }

    public override void Routes(IEndpointRouteBuilder routes)
    {
        AccountsApi.Map(routes);
        PasskeysApi.Map(routes);
        Photos.Map(routes);
        RecoveriesApi.Map(routes);
        routes.MapGet("/.well-known/jwks.json", (HttpContext context, SigningKeys keys, CancellationToken ct) =>
        {
            // As long as a new key is shown before it signs.
            context.Response.Headers.CacheControl = "public, max-age=3600";
            return keys.Public(ct);
        }).AllowAnonymous().WithTags("modules");
        routes.MapPost("/logout", SignOut).AllowAnonymous().ExcludeFromDescription();
        routes.MapPost("/language", Profiles.ChooseLanguage).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task<IResult> SignOut(
        HttpContext context, Sessions sessions, Microsoft.AspNetCore.Antiforgery.IAntiforgery antiforgery)
    {
        await antiforgery.ValidateRequestAsync(context);
        await sessions.SignOut();
        return Results.Redirect("/login");
    }

    private static string SchemeOf(HttpContext context) => context.Request.Headers.Authorization.ToString() switch
    {
        var h when h.StartsWith("Bearer sk_", StringComparison.OrdinalIgnoreCase) => "ApiKey",
        var h when h.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) => IdentityConstants.BearerScheme,
        _ => IdentityConstants.ApplicationScheme,
    };
}
