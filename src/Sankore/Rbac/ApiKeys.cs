using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Rbac;

/// <summary>An API key as it is listed; the key itself is shown once, when it is made.</summary>
public sealed record ApiKey(
    Guid Id, string Name, string KeyPrefix, string[] Permissions, DateTime CreatedAt, DateTime? ExpiresAt, DateTime? LastUsedAt,
    DateTime? RevokedAt);

/// <summary>What a new key is made of.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Permissions">Permission keys that its service has; at least one.</param>
/// <param name="ExpiresAt">When it ends; null: until revoked.</param>
public sealed record ApiKeyInput(string? Name, string[]? Permissions, DateTime? ExpiresAt);

/// <summary>A key just made, with the secret that is shown this once.</summary>
public sealed record NewApiKey(ApiKey ApiKey, string Secret);

/// <summary>Keys of services. A service acts as <c>service_role</c> within its key's permissions.</summary>
public sealed class ApiKeys(Db db)
{
    private const string Columns = "id, name, key_prefix, permissions, created_at, expires_at, last_used_at, revoked_at";

    /// <summary>All keys, newest first.</summary>
    public Task<IReadOnlyList<ApiKey>> List(Caller caller, CancellationToken ct) =>
        db.Read(caller, session => session.Query<ApiKey>($"select {Columns} from rbac.api_keys order by created_at desc"), ct);

    /// <summary>Makes a key. Refuses with VALIDATION_FAILED, FORBIDDEN.</summary>
    public async Task<NewApiKey> Create(Caller caller, ApiKeyInput input, CancellationToken ct)
    {
        new Validation().Required("name", input.Name, 120)
            .That("permissions", input.Permissions is { Length: > 0 and <= 50 }, "field.required")
            .That("expiresAt", input.ExpiresAt is null || input.ExpiresAt > DateTime.UtcNow).Check();
        var secret = "sk_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var key = await db.Run(caller, async session =>
        {
            await Allowed(session);
            var known = await session.Query<string>(
                "select permission_key from rbac.permissions where permission_key = any(@Permissions)", new { input.Permissions });
            new Validation().That("permissions", input.Permissions!.Distinct().Count() == known.Count).Check();
            return await session.AsService(s => s.One<ApiKey>(
                $"insert into rbac.api_keys (id, name, key_hash, key_prefix, permissions, created_by, expires_at)"
                + $" values (@id, @name, @hash, @prefix, @permissions, @createdBy, @expiresAt) returning {Columns}",
                new
                {
                    id = Guid.CreateVersion7(),
                    name = input.Name!.Trim(),
                    hash = Hash(secret),
                    prefix = secret[..9],
                    permissions = known.ToArray(),
                    createdBy = caller.UserId,
                    expiresAt = input.ExpiresAt?.ToUniversalTime(),
                }));
        }, ct);
        return new NewApiKey(key, secret);
    }

    /// <summary>Ends a key at once. Refuses with NOT_FOUND, FORBIDDEN.</summary>
    public Task Revoke(Caller caller, Guid id, CancellationToken ct) => db.Run(caller, async session =>
    {
        await Allowed(session);
        await session.AsService(s => s.One<ApiKey>(
            $"update rbac.api_keys set revoked_at = now() where id = @id and revoked_at is null returning {Columns}", new { id }));
    }, ct);

    /// <summary>The key behind a secret, noting that it was used; null when there is none in force.</summary>
    public Task<ApiKey?> Verify(string secret, CancellationToken ct) => db.Run(Caller.Service, async session =>
    {
        var key = await session.Find<ApiKey>(
            $"select {Columns} from rbac.api_keys where key_hash = @hash and revoked_at is null and (expires_at is null"
            + $" or expires_at > now())", new { hash = Hash(secret) });
        if (key is not null && (key.LastUsedAt is null || key.LastUsedAt < DateTime.UtcNow.AddMinutes(-1)))
        {
            await session.Execute("update rbac.api_keys set last_used_at = now() where id = @Id", new { key.Id });
        }
        return key;
    }, ct);

    private static async Task Allowed(Session session)
    {
        if (session.Caller.UserId is { } userId
            && !await session.Value<bool>("select rbac.has_permission(@userId, 'identity.manage_keys')", new { userId }))
        {
            throw new Refusal(Reason.Forbidden);
        }
    }

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
            .. key.Permissions.Select(p => new Claim(CallerFeature.PermissionClaim, p))], SchemeName);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }
}
