using System.Collections.Concurrent;
using System.Security.Cryptography;
using MimeKit;
using MimeKit.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Security;
using Sankore.Platform.Data;

namespace Sankore.Platform.Mail;

/// <summary>
/// Signs messages for a domain (DKIM: RFC 6376, RFC 8301): rsa-sha256 over relaxed headers and body, by MimeKit with the RSA of .NET,
/// since the library's own takes ten times as long. Any number of threads may sign at once.
/// </summary>
public sealed class MailSigner : DkimSigner
{
    private const int MinKeyBits = 1024;
    private const string HowTo = "make one with openssl genrsa -out dkim.pem 2048";

    private static readonly string[] Signed =
    [
        "from", "reply-to", "subject", "to", "cc", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding",
        "list-unsubscribe", "list-unsubscribe-post", "list-id",
    ];

    // Named once more than they occur, so that nobody adds another one (RFC 6376, 8.15).
    private static readonly string[] Sealed = ["from", "reply-to", "subject", "to", "cc"];

    private readonly ConcurrentBag<RSA> _keys = [];
    private readonly RSAParameters _key;
    private readonly TimeProvider _time;

    /// <summary>Takes the key.</summary>
    /// <param name="domain">The domain that answers for the mail.</param>
    /// <param name="selector">Which of its keys this is.</param>
    /// <param name="pem">The private key, PKCS#1 or PKCS#8.</param>
    /// <param name="time">Says when a message is signed.</param>
    /// <exception cref="OperatorException">The key is no RSA key, or shorter than 1024 bits.</exception>
    public MailSigner(string domain, string selector, string pem, TimeProvider? time = null) : this(domain, selector, Import(pem), time)
    {
    }

    private MailSigner(string domain, string selector, RSA key, TimeProvider? time)
        : base(DotNetUtilities.GetRsaKeyPair(key).Private, domain, selector)
    {
        HeaderCanonicalizationAlgorithm = DkimCanonicalizationAlgorithm.Relaxed;
        BodyCanonicalizationAlgorithm = DkimCanonicalizationAlgorithm.Relaxed;
        Record = $"{selector}._domainkey.{domain} TXT v=DKIM1; k=rsa; p={Convert.ToBase64String(key.ExportSubjectPublicKeyInfo())}";
        (_key, _time) = (key.ExportParameters(includePrivateParameters: true), time ?? TimeProvider.System);
        _keys.Add(key);
    }

    /// <summary>What the operator publishes: the name, <c>TXT</c>, and the text of the record.</summary>
    public string Record { get; }

    /// <summary>Signs a message that is ready to be sent: the field is its first then.</summary>
    public void Sign(MimeMessage message)
    {
        var fields = Signed.Where(name => message.Headers.Contains(name) || message.Body?.Headers.Contains(name) == true);
        Sign(RenderedBody.Format, message, [.. fields, .. Sealed]);
    }

    protected override long GetTimestamp() => _time.GetUtcNow().ToUnixTimeSeconds();

    protected override ISigner CreateSigningContext() => new Context(this);

    private static RSA Import(string pem)
    {
        var key = RSA.Create();
        try
        {
            key.ImportFromPem(pem);
            key.ExportParameters(includePrivateParameters: true);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new OperatorException($"The DKIM key is not an RSA private key in PEM: {HowTo}.", e);
        }
        return key.KeySize >= MinKeyBits ? key : throw new OperatorException(
            $"The DKIM key has {key.KeySize} bits, and receivers want {MinKeyBits} or more (RFC 8301): {HowTo}.");
    }

    /// <summary>One key serves one thread at a time; as many are made as threads sign at once.</summary>
    private byte[] SignHash(byte[] hash)
    {
        if (!_keys.TryTake(out var key))
        {
            key = RSA.Create(_key);
        }
        try
        {
            return key.SignHash(hash, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        finally
        {
            _keys.Add(key);
        }
    }

    /// <summary>A signature that is being made: MimeKit writes what is signed.</summary>
    private sealed class Context(MailSigner signer) : ISigner
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public string AlgorithmName => "SHA-256withRSA";

        public void Init(bool forSigning, ICipherParameters parameters) => Reset();

        public void Update(byte input) => _hash.AppendData([input]);

        public void BlockUpdate(byte[] input, int inOff, int inLen) => _hash.AppendData(input, inOff, inLen);

        public void BlockUpdate(ReadOnlySpan<byte> input) => _hash.AppendData(input);

        public int GetMaxSignatureSize() => signer._key.Modulus!.Length;

        public byte[] GenerateSignature()
        {
            var signature = signer.SignHash(_hash.GetHashAndReset());
            _hash.Dispose();
            return signature;
        }

        public bool VerifySignature(byte[] signature) => throw new NotSupportedException();

        public void Reset() => _hash.GetHashAndReset();
    }
}
