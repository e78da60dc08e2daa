using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Identity;

/// <summary>The public halves of the keys, as RFC 7517 has them.</summary>
public sealed record JsonWebKeys(IReadOnlyList<JsonNode> Keys);

/// <summary>
/// Signs what other programs check without asking: JSON Web Tokens (RFC 7519) by ES256. A key signs for 90 days; its successor is shown
/// an hour before it signs, so that whoever keeps the list of keys for as long knows it in time. The private halves lie in the database,
/// sealed by the key ring.
/// </summary>
public sealed class SigningKeys(Db db, IDataProtectionProvider protection, AppAddress address)
{
    private const string NewestSql = """
        select id, private, now() as at, (select max(created_at) from auth.signing_keys) > now() - interval '90 days' as is_fresh
        from auth.signing_keys order by (created_at <= now() - interval '1 hour') desc,
          case when created_at <= now() - interval '1 hour' then -extract(epoch from created_at) else extract(epoch from created_at) end
        limit 1
        """;
    private const string InsertSql =
        "insert into auth.signing_keys (id, private, public) values (@id, @sealedKey, @publicKey::jsonb)";

    // The key is disposed of when the token is made.
    private static readonly CryptoProviderFactory Signing = new() { CacheSignatureProviders = false };

    private readonly IDataProtector _sealer = protection.CreateProtector("Sankore.Identity.SigningKeys");

    private sealed record Key(Guid Id, byte[] Private, DateTime At, bool IsFresh);

    /// <summary>A token for one receiver, in its short form.</summary>
    /// <param name="audience">Whom it is for: the receiver's origin.</param>
    /// <param name="subject">The person.</param>
    /// <param name="claims">What it says of the person besides.</param>
    /// <param name="lifetime">How long it can be used.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<string> Sign(
        string audience, Guid subject, IDictionary<string, object> claims, TimeSpan lifetime, CancellationToken ct)
    {
        var key = await Newest(ct);
        using var secret = ECDsa.Create();
        secret.ImportPkcs8PrivateKey(_sealer.Unprotect(key.Private), out _);
        claims[JwtRegisteredClaimNames.Sub] = subject.ToString();
        claims[JwtRegisteredClaimNames.Jti] = Guid.NewGuid().ToString();
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = address.Base.GetLeftPart(UriPartial.Authority),
            Audience = audience,
            IssuedAt = key.At,
            NotBefore = key.At,
            Expires = key.At + lifetime,
            Claims = claims,
            SigningCredentials = new SigningCredentials(
                new ECDsaSecurityKey(secret) { KeyId = key.Id.ToString(), CryptoProviderFactory = Signing },
                SecurityAlgorithms.EcdsaSha256),
        });
    }

    /// <summary>The public halves of the keys that are, or were lately, signed with, or soon will be.</summary>
    public async Task<JsonWebKeys> Public(CancellationToken ct)
    {
        await Newest(ct);
        var keys = await db.Read(
            Caller.Service, session => session.Query<string>("select public::text from auth.signing_keys order by created_at desc"), ct);
        return new JsonWebKeys([.. keys.Select(k => JsonNode.Parse(k)!)]);
    }

    private async Task<Key> Newest(CancellationToken ct)
    {
        var newest = await db.Read(Caller.Service, session => session.Find<Key>(NewestSql), ct);
        if (newest?.IsFresh == true)
        {
            return newest;
        }
        await db.Run(Caller.Service, async session =>
        {
            // Of two nodes that find it old at once, one makes the new one.
            await session.Execute("select pg_advisory_xact_lock(hashtext('auth.signing_keys'))");
            if (await session.Find<Key>(NewestSql) is not { IsFresh: true })
            {
                await session.Execute(InsertSql, Made());
            }
        }, ct);
        return (await db.Read(Caller.Service, session => session.Find<Key>(NewestSql), ct))!;
    }

    private object Made()
    {
        var id = Guid.CreateVersion7();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var publicKey = JsonSerializer.Serialize(new Dictionary<string, string>
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["use"] = "sig",
            ["alg"] = "ES256",
            ["kid"] = id.ToString(),
            ["x"] = Base64UrlEncoder.Encode(point.X),
            ["y"] = Base64UrlEncoder.Encode(point.Y),
        });
        return new { id, sealedKey = _sealer.Protect(key.ExportPkcs8PrivateKey()), publicKey };
    }
}
