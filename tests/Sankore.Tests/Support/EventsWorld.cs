using System.Security.Cryptography;

namespace Sankore.Tests.Support;

/// <summary>
/// A server that is told what became of its mail, by every provider and by reports in a folder; it sends into the outbox.
/// </summary>
public sealed class EventsWorld : World
{
    public const string GenericKey = "generic-key-of-the-tests", MailgunKey = "mailgun-key-of-the-tests";

    /// <summary>SendGrid's key.</summary>
    public ECDsa SendGrid { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>Where reports are delivered.</summary>
    public string BounceFolder { get; } = Directory.CreateTempSubdirectory("sankore-bounces-").FullName;

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["Sankore:Mail:From"] = "Sankoré <no-reply@sankore.test>",
        ["Sankore:Mail:Events:Generic:Key"] = GenericKey,
        ["Sankore:Mail:Events:Mailgun:Key"] = MailgunKey,
        ["Sankore:Mail:Events:SendGrid:PublicKey"] = Convert.ToBase64String(SendGrid.ExportSubjectPublicKeyInfo()),
        ["Sankore:Mail:Events:BounceFolder"] = BounceFolder,
        ["Sankore:Mail:Events:BounceSeconds"] = "0.1",
    };
}
