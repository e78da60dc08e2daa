using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Sankore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Tenancy;

/// <summary>
/// Opens a module that is an application of its own: it learns who opens it from a token that it can check by itself (docs/modules.md).
/// </summary>
public sealed class ModuleLaunch(Db db, SigningKeys keys)
{
    /// <summary>How long a token can be used: the browser goes there at once.</summary>
    internal static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    private const string LaunchSql = """
        select route, email, display_name, locale, can_write, can_delete, can_export, places::text from tenancy.my_launch(@code)
        """;

    private sealed record Launch(
        string Route, string Email, string DisplayName, string Locale, bool CanWrite, bool CanDelete, bool CanExport, string Places);

    /// <summary>
    /// The address to go to, with the token. Refuses with NOT_FOUND where the caller has no such module, or it has pages here.
    /// </summary>
    public async Task<Uri> Address(Caller caller, string code, CancellationToken ct)
    {
        var launch = await db.Read(caller, session => session.One<Launch>(LaunchSql, new { code }), ct);
        var address = new Uri(launch.Route);
        string[] rights =
        [
            "read", .. launch.CanWrite ? ["write"] : Array.Empty<string>(), .. launch.CanDelete ? ["delete"] : Array.Empty<string>(),
            .. launch.CanExport ? ["export"] : Array.Empty<string>(),
        ];
        var token = await keys.Sign(address.GetLeftPart(UriPartial.Authority), caller.UserId!.Value, new Dictionary<string, object>
        {
            ["email"] = launch.Email,
            ["name"] = launch.DisplayName,
            ["locale"] = launch.Locale,
            ["module"] = code,
            ["rights"] = rights,
            ["places"] = JsonSerializer.Deserialize<JsonElement>(launch.Places),
        }, Lifetime, ct);
        return new Uri(QueryHelpers.AddQueryString(launch.Route, "token", token));
    }

    /// <summary><c>GET /m/CODE/open</c>: goes there.</summary>
    internal static async Task<IResult> Open(HttpContext context, Caller caller, string code, ModuleLaunch launch, CancellationToken ct)
    {
        var address = await launch.Address(caller, code, ct);
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        return Results.Redirect(address.ToString());
    }
}
