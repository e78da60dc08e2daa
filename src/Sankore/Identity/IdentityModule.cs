using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>Accounts, sign-in by cookie or bearer token, profiles.</summary>
public sealed class IdentityModule : SankoreModule
{
    /// <summary>The rate limit of everything that takes a password.</summary>
    public const string SignInLimit = "sign-in";

    public override IEnumerable<Reason> Reasons => IdentityReasons.All;

    public override IReadOnlyDictionary<string, Reason> Constraints { get; } = new Dictionary<string, Reason>
    {
        ["users_normalized_email_unique"] = Reason.EmailTaken,
        ["users_email_check"] = Reason.EmailInvalid,
        ["profiles_display_name_check"] = Reason.AccountInvalid,
        ["profiles_username_unique"] = Reason.Conflict,
    };

    public override string RightsSql =>
        "select id as user_id, 'stamp' as kind, array[security_stamp] as items from auth.users where id = any(@userIds)";

    public override void Services(IServiceCollection services, IConfiguration configuration)
    {
        services.AddDataProtection().SetApplicationName("Sankore");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(sp => new ConfigureOptions<KeyManagementOptions>(
            o => o.XmlRepository = ActivatorUtilities.CreateInstance<KeyRing>(sp)));
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
            o.Lockout.MaxFailedAccessAttempts = 5;
            o.Lockout.DefaultLockoutTimeSpan = TimeSpan.FromMinutes(5);
            // Set-up links and mails confirm the address; nobody waits for a confirmation to sign in.
            o.SignIn.RequireConfirmedEmail = false;
        })
            .AddSignInManager()
            .AddUserStore<AccountStore>().AddPasswordValidator<PasswordRules>().AddUserValidator<AddressRule>().AddApiEndpoints();
        services.PostConfigure<IdentityOptions>(o =>
        {
            // Of the framework's second factors we have the authenticator: these would ask the store for telephone numbers, and mail codes.
            o.Tokens.ProviderMap.Remove(TokenOptions.DefaultPhoneProvider);
            o.Tokens.ProviderMap.Remove(TokenOptions.DefaultEmailProvider);
        });
        services.AddTransient<AccountMails>().AddTransient<IEmailSender<Account>>(sp => sp.GetRequiredService<AccountMails>());
        services.AddScoped<Profiles>();
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
            // The stamp is compared at every request against the cached rights; the framework's periodic look at the table is not needed.
            o.Events.OnValidatePrincipal = _ => Task.CompletedTask;
        });
    }

    public override void Routes(IEndpointRouteBuilder routes)
    {
        var auth = routes.MapGroup("/api/auth").WithTags("auth").AddEndpointFilter<IdentityAnswers>();
        auth.AddEndpointFilter(Registration.Instead);
        auth.MapIdentityApi<Account>();
        ((IEndpointConventionBuilder)auth).Add(Registration.OpenToAll);
        auth.RequireRateLimiting(SignInLimit);
        routes.MapPost("/logout", SignOut).AllowAnonymous().ExcludeFromDescription();
        routes.MapPost("/language", Profiles.ChooseLanguage).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task<IResult> SignOut(
        HttpContext context, SignInManager<Account> signIn, Microsoft.AspNetCore.Antiforgery.IAntiforgery antiforgery)
    {
        await antiforgery.ValidateRequestAsync(context);
        await signIn.SignOutAsync();
        return Results.Redirect("/login");
    }

    private static string SchemeOf(HttpContext context) => context.Request.Headers.Authorization.ToString() switch
    {
        var h when h.StartsWith("Bearer sk_", StringComparison.OrdinalIgnoreCase) => "ApiKey",
        var h when h.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) => IdentityConstants.BearerScheme,
        _ => IdentityConstants.ApplicationScheme,
    };
}
