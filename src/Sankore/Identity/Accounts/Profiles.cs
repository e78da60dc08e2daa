using System.Globalization;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Localization;
using Microsoft.AspNetCore.Mvc;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Identity;

/// <summary>A person's own profile.</summary>
public sealed record Profile(Guid Id, string Email, string DisplayName, string? Phone, string? City, string? Locale, string? AvatarUrl);

/// <summary>What a person changes of the own profile.</summary>
public sealed record ProfileInput(string? DisplayName, string? Phone, string? City);

/// <summary>Profiles (document 004, <c>profiles</c>).</summary>
public sealed class Profiles(Db db)
{
    /// <summary>The caller's profile.</summary>
    public Task<Profile> Own(Caller caller, CancellationToken ct) =>
        db.Read(
            caller,
            session => session.One<Profile>(
                "select id, email, display_name, phone, city, locale, avatar_url from public.profiles where id = @UserId",
                new { caller.UserId }), ct);

    /// <summary>Changes the caller's profile. Refuses with VALIDATION_FAILED.</summary>
    public Task Update(Caller caller, ProfileInput input, CancellationToken ct)
    {
        new Validation().Required("displayName", input.DisplayName, 120).Optional("phone", input.Phone, 40)
            .Optional("city", input.City, 120).Check();
        return db.Run(caller, session => session.Execute(
            "update public.profiles set display_name = @name, phone = nullif(@phone, ''), city = nullif(@city, ''), updated_at = now()"
            + " where id = @UserId",
            new { caller.UserId, name = input.DisplayName!.Trim(), phone = input.Phone?.Trim(), city = input.City?.Trim() }), ct);
    }

    /// <summary>
    /// <c>POST /language</c>: remembers the language in this browser, and in the profile of a person signed in; leads back to the page.
    /// </summary>
    internal static async Task<IResult> ChooseLanguage(
        HttpContext context, [FromForm] string lang, [FromForm] string? returnUrl, Db db, IAntiforgery antiforgery, CancellationToken ct)
    {
        await antiforgery.ValidateRequestAsync(context);
        var culture = lang == "en" ? "en" : "fr";
        context.Response.Cookies.Append(
            CookieRequestCultureProvider.DefaultCookieName,
            CookieRequestCultureProvider.MakeCookieValue(new RequestCulture(CultureInfo.GetCultureInfo(culture))),
            new CookieOptions
            {
                MaxAge = TimeSpan.FromDays(365),
                HttpOnly = true,
                SameSite = SameSiteMode.Lax,
                Secure = context.Request.IsHttps,
                IsEssential = true,
            });
        var caller = context.Caller();
        if (caller.UserId is { } userId)
        {
            await db.Run(caller, session =>
                session.Execute("update public.profiles set locale = @culture where id = @userId", new { culture, userId }), ct);
        }
        return Results.LocalRedirect(AppAddress.Local(returnUrl));
    }
}
