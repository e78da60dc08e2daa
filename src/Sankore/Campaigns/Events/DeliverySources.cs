using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sankore.Platform.Data;

namespace Sankore.Campaigns;

/// <summary>Who tells the platform what became of its mail (<c>Sankore:Mail:Events</c>).</summary>
/// <param name="Generic">The key that our own form of events is signed with; null: nobody tells any.</param>
/// <param name="Mailgun">Mailgun's signing key.</param>
/// <param name="SendGrid">SendGrid's public key (SubjectPublicKeyInfo, RFC 5280, 4.1.2.7).</param>
/// <param name="BounceFolder">The folder that reports of mail servers are delivered into.</param>
/// <param name="BounceEvery">How often it is looked into.</param>
public sealed record DeliverySources(byte[]? Generic, byte[]? Mailgun, byte[]? SendGrid, string? BounceFolder, TimeSpan BounceEvery)
{
    private const string Section = "Sankore:Mail:Events";

    /// <summary>
    /// Whether anybody tells. Where nobody does, a message can be said to be accepted by the mail server, and never to be delivered.
    /// </summary>
    public bool Any => Generic is not null || Mailgun is not null || SendGrid is not null || BounceFolder is not null;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="OperatorException">One of them is wrong; the message says which, and what would be right.</exception>
    public static DeliverySources Read(IConfiguration configuration)
    {
        var events = configuration.GetSection(Section);
        var folder = Text(events, "BounceFolder");
        if (folder is not null && !Directory.Exists(folder))
        {
            throw new OperatorException($"{Section}:BounceFolder is no folder: make it, or correct the path.");
        }
        var every = Text(events, "BounceSeconds") is not { } seconds ? 30
            : double.TryParse(seconds, CultureInfo.InvariantCulture, out var number) && number is >= 0.05 and <= 3600 ? number
            : throw new OperatorException($"{Section}:BounceSeconds is not a number from 0.05 to 3600.");
        return new DeliverySources(
            Key(events, "Generic:Key"), Key(events, "Mailgun:Key"), PublicKey(events, "SendGrid:PublicKey"), folder,
            TimeSpan.FromSeconds(every));
    }

    private static byte[]? Key(IConfigurationSection events, string key) => Text(events, key) is not { } text ? null
        : text.Length >= 16 ? Encoding.UTF8.GetBytes(text)
        : throw new OperatorException($"{Section}:{key} is too short: 16 characters or more keep others from guessing it.");

    private static byte[]? PublicKey(IConfigurationSection events, string key)
    {
        if (Text(events, key) is not { } text)
        {
            return null;
        }
        try
        {
            using var ecdsa = ECDsa.Create();
            var bytes = Convert.FromBase64String(text);
            ecdsa.ImportSubjectPublicKeyInfo(bytes, out _);
            return bytes;
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            throw new OperatorException($"{Section}:{key} is no public key in base64, as SendGrid shows it under Event Webhook.", e);
        }
    }

    private static string? Text(IConfigurationSection events, string key) => events[key]?.Trim() is { Length: > 0 } value ? value : null;
}
