using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Identity;

/// <summary>Where a person is signed in.</summary>
/// <param name="Device">What the browser or program calls itself.</param>
/// <param name="SeenAt">When it last asked for something, to the hour.</param>
/// <param name="IsCurrent">Whether it is the one that asks.</param>
public sealed record SessionLine(Guid Id, string Device, DateTime CreatedAt, DateTime SeenAt, bool IsCurrent);

/// <summary>
/// Sessions: a cookie or a token is good for as long as its row of <c>auth.sessions</c> is there, so that signing out ends it at once on
/// every node. Whatever changes how somebody signs in ends all of them (auth.end_sessions).
/// </summary>
public sealed class Sessions(Db db, RightsCache rights, SignInManager<Account> signIn, IHttpContextAccessor http)
{
    // The fifty last seen are enough for anybody.
    private const string InsertSql = """
        with old as (
          delete from auth.sessions
          where id in (select id from auth.sessions where user_id = @userId order by seen_at desc, id desc offset 49))
        insert into auth.sessions (id, user_id, device) values (@id, @userId, @device)
        """;

    private const string GoOnSql = """
        update auth.sessions set seen_at = now(), ends_at = now() + interval '14 days'
        where id = @id and user_id = @userId and ends_at > now()
        """;

    private const string OwnSql = """
        select id, device, created_at, seen_at, id is not distinct from @current as is_current
        from auth.sessions where user_id = @UserId and ends_at > now() order by id is not distinct from @current desc, seen_at desc, id
        """;

    /// <summary>Whether whoever asks came with a cookie.</summary>
    public bool AreOfBrowser => Http.Request.Headers.Authorization.Count == 0;

    private HttpContext Http => http.HttpContext!;

    /// <summary>Begins a session in this browser.</summary>
    public async Task SignIn(Account account, bool isPersistent) =>
        await Http.SignInAsync(
            IdentityConstants.ApplicationScheme, await Begin(account), new AuthenticationProperties { IsPersistent = isPersistent });

    /// <summary>Begins a session; whoever carries the result is signed in.</summary>
    public async Task<ClaimsPrincipal> Begin(Account account)
    {
        var id = Guid.CreateVersion7();
        var device = Http.Request.Headers.UserAgent.ToString();
        await db.Run(Caller.Service, session => session.Execute(InsertSql, new
        {
            id,
            userId = account.Id,
            device = new string([.. device.Take(200).Where(c => !char.IsControl(c) && !char.IsSurrogate(c))]),
        }), Http.RequestAborted);
        return await Carry(account, id);
    }

    /// <summary>A session that goes on with new tokens; null when it has ended.</summary>
    public async Task<ClaimsPrincipal?> GoOn(Account account, Guid id) =>
        await db.Run(Caller.Service, session => session.Execute(
            GoOnSql, new { id, userId = account.Id }), Http.RequestAborted) > 0 ? await Carry(account, id) : null;

    /// <summary>Ends the session that asks, wherever its cookie or token may be by now.</summary>
    public async Task SignOut()
    {
        if (Http.SessionId() is { } id)
        {
            await db.Run(Caller.Service, session => session.Execute("delete from auth.sessions where id = @id", new { id }), default);
            Forget(Http.Caller());
        }
        await Http.SignOutAsync(IdentityConstants.ApplicationScheme);
        await Http.SignOutAsync(IdentityConstants.TwoFactorUserIdScheme);
    }

    /// <summary>The caller's sessions, the one that asks first.</summary>
    public Task<IReadOnlyList<SessionLine>> Own(Caller caller, CancellationToken ct) => db.Read(
        caller, session => session.Query<SessionLine>(OwnSql, new { caller.UserId, current = Http.SessionId() }), ct);

    /// <summary>Ends one of the caller's sessions. Refuses with NOT_FOUND.</summary>
    public async Task End(Caller caller, Guid id, CancellationToken ct)
    {
        await db.Run(caller, session => session.ExecuteOne("delete from auth.sessions where id = @id", new { id }), ct);
        Forget(caller);
    }

    /// <summary>Ends all of the caller's sessions but the one that asks.</summary>
    public async Task EndOthers(Caller caller, CancellationToken ct)
    {
        await db.Run(caller, session => session.Execute(
            "delete from auth.sessions where user_id = @UserId and id is distinct from @current",
            new { caller.UserId, current = Http.SessionId() }), ct);
        Forget(caller);
    }

    /// <summary>The log tells every node; this one need not wait for it.</summary>
    private void Forget(Caller caller) => rights.Forget([caller.UserId ?? Guid.Empty], []);

    private async Task<ClaimsPrincipal> Carry(Account account, Guid id)
    {
        var principal = await signIn.CreateUserPrincipalAsync(account);
        ((ClaimsIdentity)principal.Identity!).AddClaim(new Claim(CallerFeature.SessionClaim, id.ToString()));
        return principal;
    }
}
