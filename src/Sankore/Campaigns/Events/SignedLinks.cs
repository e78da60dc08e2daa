using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>What a link of a message is for; a link for one is none for another.</summary>
public enum LinkPurpose
{
    /// <summary>Leaving, and coming back (<c>/u/…</c>).</summary>
    Unsubscribe = 1,

    /// <summary>The picture whose loading says that the message was opened (<c>/o/…</c>).</summary>
    Open = 2,

    /// <summary>A link of the message (<c>/c/…</c>).</summary>
    Click = 3,
}

/// <summary>What a link says: the message, and for a click the link's number (else 0).</summary>
public sealed record LinkTarget(Guid Message, int Number);

/// <summary>
/// Signs the links of messages and reads them back. A token is the message's id, the link's number, and 16 bytes of an HMAC-SHA256 (RFC
/// 2104) of both and the purpose, in base64url (RFC 4648, 5): it holds neither address nor destination, and nobody can make one.
/// </summary>
public sealed class LinkSigner(byte[] key)
{
    private const int IdBytes = 16, NumberBytes = 2, MacBytes = 16, TokenBytes = IdBytes + NumberBytes + MacBytes;

    /// <summary>The token of a link.</summary>
    /// <param name="purpose">What it is for.</param>
    /// <param name="message">Of which message.</param>
    /// <param name="number">Which of its links, from 1; 0 for what is no click.</param>
    public string Sign(LinkPurpose purpose, Guid message, int number = 0)
    {
        Span<byte> token = stackalloc byte[TokenBytes];
        message.TryWriteBytes(token, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt16BigEndian(token[IdBytes..], checked((ushort)number));
        Mac(purpose, token[..^MacBytes], token[^MacBytes..]);
        return Base64Url.EncodeToString(token);
    }

    /// <summary>What a token says; null when it is not one of ours for this purpose.</summary>
    public LinkTarget? Read(LinkPurpose purpose, string token)
    {
        Span<byte> bytes = stackalloc byte[TokenBytes];
        Span<byte> mac = stackalloc byte[MacBytes];
        if (token.Length != Base64Url.GetEncodedLength(TokenBytes) || !Base64Url.IsValid(token)
            || !Base64Url.TryDecodeFromChars(token, bytes, out var length) || length != TokenBytes)
        {
            return null;
        }
        Mac(purpose, bytes[..^MacBytes], mac);
        return CryptographicOperations.FixedTimeEquals(mac, bytes[^MacBytes..])
            ? new LinkTarget(new Guid(bytes[..IdBytes], bigEndian: true), BinaryPrimitives.ReadUInt16BigEndian(bytes[IdBytes..]))
            : null;
    }

    private void Mac(LinkPurpose purpose, ReadOnlySpan<byte> said, Span<byte> mac)
    {
        Span<byte> all = [(byte)purpose, .. said];
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, all, hash);
        hash[..mac.Length].CopyTo(mac);
    }
}

/// <summary>
/// The one key of all nodes. It is a row of the database made at first use, not one of the key ring: those are replaced every 90 days and
/// make long tokens, while a mail must be left years after it was sent.
/// </summary>
public sealed class SignedLinks(Db db)
{
    private const string MakeSql = """
        insert into campaigns.signing_keys (purpose, key) values ('links', @key) on conflict on constraint signing_keys_pkey do nothing
        """;
    private const string KeySql = "select key from campaigns.signing_keys where purpose = 'links'";

    private LinkSigner? _signer;

    /// <summary>Signs and reads links.</summary>
    public async ValueTask<LinkSigner> Signer(
        CancellationToken ct) => _signer ??= new LinkSigner(await db.Run(Caller.Service, async session =>
    {
        if (await session.Find<byte[]>(KeySql) is { } made)
        {
            return made;
        }
        await session.Execute(MakeSql, new { key = RandomNumberGenerator.GetBytes(32) });
        return await session.Value<byte[]>(KeySql);
    }, ct));

    /// <summary>What a token says; null when it is not one of ours for this purpose.</summary>
    public async ValueTask<LinkTarget?> Read(LinkPurpose purpose, string token, CancellationToken ct) =>
        (await Signer(ct)).Read(purpose, token);
}
