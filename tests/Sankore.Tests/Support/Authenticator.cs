using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Sankore.Tests.Support;

/// <summary>
/// A device with one passkey, as WebAuthn level 3 has it: ES256, no attestation. What it signs can be bent, as a hostile one would.
/// </summary>
public sealed class Authenticator : IDisposable
{
    private const byte Present = 1, Verified = 4, Attested = 64;

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private string _owner = "";

    /// <summary>Where its pages are.</summary>
    public Uri Origin { get; set; } = new("http://127.0.0.1");

    /// <summary>The relying party that it believes to sign for; null: the origin's host.</summary>
    public string? RelyingParty { get; set; }

    /// <summary>What is done: <c>webauthn.get</c> when signing.</summary>
    public string SignType { get; set; } = "webauthn.get";

    /// <summary>Whether it asks its owner for a finger or a PIN.</summary>
    public bool IsVerifying { get; set; } = true;

    /// <summary>How often it has signed; 0 for ever when it does not count.</summary>
    public uint Count { get; set; }

    /// <summary>The credential's id.</summary>
    public byte[] Id { get; set; } = RandomNumberGenerator.GetBytes(32);

    /// <summary>A device whose passkey is already one of whoever the client is signed in as.</summary>
    public static async Task<Authenticator> Of(World world, HttpClient client, object? proof = null, Uri? origin = null)
    {
        var device = new Authenticator { Origin = origin ?? world.Address };
        var request = await client.Ask(HttpMethod.Post, "/api/auth/passkeys/request", proof ?? new { Newcomers.Password }).Json();
        await client.Ask(HttpMethod.Post, "/api/auth/passkeys", new { name = "Téléphone", passkey = device.Create(request) }).Json(204);
        return device;
    }

    /// <summary>What a login takes: an answer to a new request.</summary>
    public async Task<object> Answer(HttpClient client) => Sign(await client.Ask(HttpMethod.Get, "/api/auth/passkeys/request").Json());

    /// <summary>Makes the passkey that is asked for.</summary>
    public object Create(JsonElement request)
    {
        var options = request.GetProperty("options");
        _owner = options.GetProperty("user").Text("id");
        var point = _key.ExportParameters(false).Q;
        byte[] publicKey = [0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32, .. point.X!, 0x22, 0x58, 32, .. point.Y!];
        byte[] data = [.. Data(Attested), .. new byte[16], 0, (byte)Id.Length, .. Id, .. publicKey];
        byte[] attestation =
        [
            0xa3, 0x63, .. "fmt"u8, 0x64, .. "none"u8, 0x67, .. "attStmt"u8, 0xa0, 0x68, .. "authData"u8, 0x58, (byte)data.Length, .. data,
        ];
        return Said(request, new
        {
            clientDataJSON = Text(ClientData(options, "webauthn.create")),
            attestationObject = Text(attestation),
            transports = new[] { "internal" },
        });
    }

    /// <summary>Signs what is asked for.</summary>
    public object Sign(JsonElement request)
    {
        Count += Count > 0 ? 1u : 0;
        var client = ClientData(request.GetProperty("options"), SignType);
        var data = Data(0);
        byte[] signed = [.. data, .. SHA256.HashData(client)];
        return Said(request, new
        {
            clientDataJSON = Text(client),
            authenticatorData = Text(data),
            signature = Text(_key.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
            userHandle = _owner,
        });
    }

    public void Dispose() => _key.Dispose();

    private object Said(JsonElement request, object response) => new
    {
        state = request.Text("state"),
        credential = new { id = Text(Id), rawId = Text(Id), type = "public-key", clientExtensionResults = new { }, response },
    };

    private byte[] ClientData(JsonElement options, string type) => JsonSerializer.SerializeToUtf8Bytes(
        new { type, challenge = options.Text("challenge"), origin = Origin.GetLeftPart(UriPartial.Authority), crossOrigin = false });

    private byte[] Data(byte flags)
    {
        var count = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(count, Count);
        flags |= (byte)(Present | (IsVerifying ? Verified : 0));
        return [.. SHA256.HashData(Encoding.UTF8.GetBytes(RelyingParty ?? Origin.Host)), flags, .. count];
    }

    private static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
