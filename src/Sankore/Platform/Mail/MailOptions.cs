using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MimeKit;
using Sankore.Platform.Data;

namespace Sankore.Platform.Mail;

/// <summary>How a connection to the mail server is protected.</summary>
public enum SmtpSecurity
{
    /// <summary>Not at all: for a relay on the same machine.</summary>
    None,

    /// <summary>STARTTLS, without which nothing is sent (RFC 3207).</summary>
    StartTls,

    /// <summary>TLS from the first byte (RFC 8314).</summary>
    Tls,
}

/// <summary>Where mail goes, and in whose name (<c>Sankore:Mail</c>).</summary>
/// <param name="Outbox">The folder of <c>.eml</c> files, for as long as there is no mail server.</param>
/// <param name="From">The sender.</param>
public sealed record MailOptions(string Outbox, Mailbox From)
{
    private const string Section = "Sankore:Mail";

    /// <summary>The server that takes the mail; null: the outbox does.</summary>
    public SmtpOptions? Smtp { get; init; }

    /// <summary>Signs what is sent; null: nothing is signed.</summary>
    public MailSigner? Signer { get; init; }

    /// <summary>Writes a message as the file of the outbox that has its id; written twice it is one file.</summary>
    internal async Task ToOutbox(Guid id, MimeMessage message, CancellationToken ct)
    {
        // Two nodes may work the same message: each has a draft of its own, and nobody sees half a mail.
        var draft = Path.Combine(Outbox, $".{id}.{Guid.NewGuid():N}");
        try
        {
            await message.WriteToAsync(RenderedBody.Format, draft, ct);
            File.Move(draft, Path.Combine(Outbox, $"{id}.eml"), overwrite: true);
        }
        finally
        {
            File.Delete(draft);
        }
    }

    /// <summary>Reads the settings.</summary>
    /// <exception cref="OperatorException">One of them is wrong; the message says which, and what would be right.</exception>
    public static MailOptions Read(IConfiguration configuration, string outbox)
    {
        var mail = configuration.GetSection(Section);
        var from = Text(mail, "From") ?? "Sankore <no-reply@sankore.test>";
        var sender = Mailbox.TryParse(from) ?? throw Wrong("From", "is not an address: write it like 'School <no-reply@example.org>'");
        return new MailOptions(outbox, sender)
        {
            Smtp = ReadSmtp(mail),
            Signer = ReadSigner(mail),
        };
    }

    private static SmtpOptions? ReadSmtp(IConfigurationSection mail)
    {
        if (Text(mail, "Smtp:Host") is not { } host)
        {
            var settings = mail.GetSection("Smtp").GetChildren().Concat(mail.GetSection("Smtp:OAuth").GetChildren());
            return settings.Any(c => c.Value is { Length: > 0 })
                ? throw Wrong("Smtp:Host", "is missing, and other settings of Smtp are there: name the mail server") : null;
        }
        var security = Text(mail, "Smtp:Security")?.ToLowerInvariant() switch
        {
            null or "starttls" => SmtpSecurity.StartTls,
            "tls" => SmtpSecurity.Tls,
            "none" => SmtpSecurity.None,
            _ => throw Wrong("Smtp:Security", "is none of starttls, tls and none"),
        };
        var usual = security switch { SmtpSecurity.StartTls => 587, SmtpSecurity.Tls => 465, _ => 25 };
        var (user, password, oauth) = ReadSignIn(mail);
        return new SmtpOptions(host, Number(mail, "Smtp:Port", usual, 1, 65535), security)
        {
            User = user,
            Password = password,
            OAuth = oauth,
            Connections = Number(mail, "Smtp:Connections", 8, 1, 100),
            MailsPerConnection = Number(mail, "Smtp:MailsPerConnection", 200, 1, 1_000_000),
            PerMinute = Number(mail, "Smtp:PerMinute", 0, 0, 10_000_000),
            PerDomainPerMinute = Number(mail, "Smtp:PerDomainPerMinute", 0, 0, 10_000_000),
            Authorities = Text(mail, "Smtp:CaFile") is { } file ? Authorities(file) : null,
        };
    }

    private static (string? User, string? Password, OAuthOptions? OAuth) ReadSignIn(IConfigurationSection mail)
    {
        var (user, password) = (Text(mail, "Smtp:User"), mail["Smtp:Password"] is { Length: > 0 } given ? given : null);
        if (OAuthOptions.Read(mail.GetSection("Smtp:OAuth")) is { } oauth)
        {
            return user is null ? throw Wrong("Smtp:User", "is missing: with OAuth it is the mailbox that mail is sent from")
                : password is not null ? throw Wrong("Smtp:Password", "is given, and so is OAuth: give one of them") : (user, null, oauth);
        }
        return user is null == password is null ? (user, password, null)
            : throw Wrong(user is null ? "Smtp:User" : "Smtp:Password",
                "is missing: give both, or neither for a server that asks for none");
    }

    private static MailSigner? ReadSigner(IConfigurationSection mail)
    {
        var (domain, selector, file) = (Text(mail, "Dkim:Domain"), Text(mail, "Dkim:Selector"), Text(mail, "Dkim:KeyFile"));
        if (domain is null && selector is null && file is null)
        {
            return null;
        }
        if (domain is null || selector is null || file is null)
        {
            throw Wrong("Dkim", "needs all of Domain, Selector and KeyFile");
        }
        if (!IsHost(domain) || !IsHost(selector))
        {
            throw Wrong(IsHost(domain) ? "Dkim:Selector" : "Dkim:Domain", "is not a name of the domain name system");
        }
        try
        {
            return new MailSigner(domain, selector, File.ReadAllText(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Wrong("Dkim:KeyFile", $"cannot be read ({e.Message.TrimEnd('.')})");
        }
    }

    private static X509Certificate2Collection Authorities(string file)
    {
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(file);
            return authorities.Count > 0 ? authorities : throw Wrong("Smtp:CaFile", "has no certificate in PEM");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw Wrong("Smtp:CaFile", $"cannot be read ({e.Message.TrimEnd('.')})");
        }
    }

    private static bool IsHost(string name) =>
        name.Length < 200 && Uri.CheckHostName(name) == UriHostNameType.Dns && name.All(char.IsAscii);

    private static string? Text(IConfigurationSection mail, string key) => mail[key]?.Trim() is { Length: > 0 } value ? value : null;

    private static int Number(IConfigurationSection mail, string key, int usual, int least, int most) =>
        Text(mail, key) is not { } text ? usual : int.TryParse(text, out var number) && number >= least && number <= most ? number
            : throw Wrong(key, $"is not a number from {least} to {most}");

    private static OperatorException Wrong(string key, string what) => new($"{Section}:{key} {what}.");
}

/// <summary>The mail server that takes the platform's mail (submission, RFC 6409).</summary>
/// <param name="Host">Its name; its certificate must be for it.</param>
/// <param name="Port">Where it listens.</param>
/// <param name="Security">How the connection is protected.</param>
public sealed record SmtpOptions(string Host, int Port, SmtpSecurity Security)
{
    /// <summary>Who signs in; null: nobody does.</summary>
    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>Where access tokens come from, instead of a password.</summary>
    public OAuthOptions? OAuth { get; init; }

    /// <summary>How many connections a node holds at most.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>How many mails go through one connection before another one is made.</summary>
    public int MailsPerConnection { get; init; } = 200;

    /// <summary>How many mails a node sends a minute; 0: as many as there are.</summary>
    public int PerMinute { get; init; }

    /// <summary>How many of them go to one domain; 0: as many as there are.</summary>
    public int PerDomainPerMinute { get; init; }

    /// <summary>Whose certificates are trusted; null: those the machine trusts.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>How long each phase may take.</summary>
    public SmtpTimeouts Timeouts { get; init; } = new();

    public override string ToString() => $"{Host}:{Port}";
}

/// <summary>How long a mail server may take, phase by phase (RFC 5321, 4.5.3.2, shortened where waiting serves nobody).</summary>
public sealed record SmtpTimeouts
{
    /// <summary>Until there is a connection with TLS, and until the server has greeted and said what it can do.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Until a command is answered.</summary>
    public TimeSpan Command { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Until a block of 256 KB is taken.</summary>
    public TimeSpan Block { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Until the end of the data is answered. Patience here saves mails from being of unknown outcome.</summary>
    public TimeSpan End { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How much of <see cref="End"/> is left once the caller has called it off.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);
}
