using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>An API key as it is listed; the key itself is shown once, when it is made.</summary>
/// <param name="Permissions">What it was given.</param>
/// <param name="InForce">What of that it has at this moment: no more than whoever made it (rbac.permissions_of_key).</param>
/// <param name="CreatedBy">Who stands for it: a person, or another key by its name.</param>
public sealed record ApiKey(
    Guid Id, string Name, string KeyPrefix, string[] Permissions, string[] InForce, string? CreatedBy, DateTime CreatedAt,
    DateTime? ExpiresAt, DateTime? LastUsedAt, DateTime? RevokedAt);

/// <summary>What a new key is made of.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Permissions">Permission keys that its service has; at least one.</param>
/// <param name="ExpiresAt">When it ends; null: until revoked.</param>
public sealed record ApiKeyInput(string? Name, string[]? Permissions, Moment? ExpiresAt);

/// <summary>A key just made, with the secret that is shown this once.</summary>
public sealed record NewApiKey(ApiKey ApiKey, string Secret);

/// <summary>
/// Keys of services. A service acts as <c>service_role</c> within its key's permissions, which are never more than those of whoever made
/// it.
/// </summary>
public sealed class ApiKeys(Db db)
{
    private const string Columns = """
        k.id, k.name, k.key_prefix, k.permissions, rbac.permissions_of_key(k.id) as in_force,
        coalesce((select p.display_name from public.profiles p where p.id = k.created_by),
          (select m.name from rbac.api_keys m where m.id = k.created_by_key)) as created_by,
        k.created_at, k.expires_at, k.last_used_at, k.revoked_at
        """;

    private const string InsertSql = """
        insert into rbac.api_keys (id, name, key_hash, key_prefix, permissions, expires_at)
        values (@id, @name, @hash, @prefix, @permissions, @expiresAt)
        """;

    private const string InForceSql = $"""
        select {Columns} from rbac.api_keys k
        where k.key_hash = @hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
        """;

    /// <summary>All keys that the caller sees, newest first.</summary>
    public Task<IReadOnlyList<ApiKey>> List(Caller caller, CancellationToken ct) =>
        db.Run(caller, async session => await Described(session, await session.Query<Guid>("select id from rbac.api_keys")), ct);

    /// <summary>Makes a key. Refuses with VALIDATION_FAILED, NOT_YOURS_TO_GIVE, FORBIDDEN.</summary>
    public async Task<NewApiKey> Create(Caller caller, ApiKeyInput input, CancellationToken ct)
    {
        new Validation().Required("name", input.Name, 120)
            .That("permissions", input.Permissions is { Length: > 0 and <= 50 }, "field.required")
            .That("expiresAt", input.ExpiresAt is null || input.ExpiresAt > DateTimeOffset.UtcNow).Check();
        var secret = "sk_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var key = await db.Run(caller, async session =>
        {
            var known = await session.Query<string>(
                "select permission_key from rbac.permissions where permission_key = any(@Permissions)", new { input.Permissions });
            new Validation().That("permissions", input.Permissions!.Distinct().Count() == known.Count).Check();
            var id = Guid.CreateVersion7();
            // What the caller may give, the database asks (rbac.give_key), and who the caller is.
            await session.AsService(s => s.Execute(InsertSql, new
            {
                id,
                name = input.Name!.Trim(),
                hash = Hash(secret),
                prefix = secret[..9],
                permissions = known.ToArray(),
                expiresAt = input.ExpiresAt?.Utc,
            }));
            return (await Described(session, [id]))[0];
        }, ct);
        return new NewApiKey(key, secret);
    }

    /// <summary>Ends a key at once, and with it the keys that it made. Refuses with NOT_FOUND, FORBIDDEN.</summary>
    public Task Revoke(Caller caller, Guid id, CancellationToken ct) => db.Run(caller, async session =>
    {
        if (!await session.Value<bool>("select rbac.may('identity.manage_keys')"))
        {
            throw new Refusal(Reason.Forbidden);
        }
        await session.AsService(s => s.ExecuteOne(
            "update rbac.api_keys set revoked_at = now() where id = @id and revoked_at is null", new { id }));
    }, ct);

    /// <summary>The key behind a secret, noting that it was used; null when there is none in force.</summary>
    public Task<ApiKey?> Verify(string secret, CancellationToken ct) => db.Run(Caller.Service, async session =>
    {
        var key = await session.Find<ApiKey>(InForceSql, new { hash = Hash(secret) });
        if (key is not null && (key.LastUsedAt is null || key.LastUsedAt < DateTime.UtcNow.AddMinutes(-1)))
        {
            await session.Execute("update rbac.api_keys set last_used_at = now() where id = @Id", new { key.Id });
        }
        return key;
    }, ct);

    /// <summary>What a key has is worked out from whoever stands for it, whom the caller may not see.</summary>
    private static Task<IReadOnlyList<ApiKey>> Described(Session session, IReadOnlyList<Guid> ids) => session.AsService(s =>
        s.Query<ApiKey>($"select {Columns} from rbac.api_keys k where k.id = any (@ids) order by k.created_at desc",
            new { ids = ids.ToArray() }));

    private static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}

/// <summary>Authenticates <c>Authorization: Bearer sk_…</c>.</summary>
internal sealed class ApiKeyHandler(
    ApiKeys keys, IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "ApiKey";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var secret = Request.Headers.Authorization.ToString()["Bearer ".Length..].Trim();
        if (await keys.Verify(secret, Context.RequestAborted) is not { } key)
        {
            return AuthenticateResult.Fail("no such key");
        }
        var identity = new ClaimsIdentity(
            [new Claim(CallerFeature.ServiceClaim, key.Id.ToString()),
            .. key.InForce.Select(p => new Claim(CallerFeature.PermissionClaim, p))], SchemeName);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }
}
