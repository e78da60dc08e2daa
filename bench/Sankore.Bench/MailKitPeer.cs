using System.Diagnostics;
using System.Net.Sockets;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Sankore.Platform.Mail;

namespace Sankore.Bench;

/// <summary>
/// What MailKit sends when nothing else is done: the same messages, built, signed and sent in a loop on as many connections, without a
/// database.
/// </summary>
internal static class MailKitPeer
{
    /// <summary>Mails a second.</summary>
    public static async Task<double> Run(MailRun run, int port, MailSigner? signer)
    {
        var next = 0;
        await Send(run, port, signer, () => Interlocked.Increment(ref next) <= 500);
        next = 0;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, run.Connections).Select(_ => Task.Run(() =>
            Send(run, port, signer, () => Interlocked.Increment(ref next) <= run.Mails))));
        return run.Mails / clock.Elapsed.TotalSeconds;
    }

    private static async Task Send(MailRun run, int port, MailSigner? signer, Func<bool> another)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port);
        using var client = new SmtpClient();
        await client.ConnectAsync(socket, "127.0.0.1", port, SecureSocketOptions.None);
        for (var i = 0; another(); i++)
        {
            using var message = Message(i, run.Bytes);
            message.Prepare(EncodingConstraint.SevenBit);
            signer?.Sign(message);
            await client.SendAsync(message);
        }
        await client.DisconnectAsync(quit: true);
    }

    /// <summary>As a campaign's: a text and an HTML of the same length, and the fields for leaving.</summary>
    private static MimeMessage Message(int i, int bytes)
    {
        var link = $"http://127.0.0.1/u/{new string('a', 46)}";
        var lines = bytes / 57;
        var html = $"<!DOCTYPE html><html lang=\"fr\"><p>Bonjour Personne {i} de Org,</p>" + Repeated("<p>{0}</p>\n", lines)
            + $"<p><a href=\"{link}\">Se désinscrire</a></p></html>";
        var text = $"Bonjour Personne {i} de Org,\n\n" + Repeated("{0}\n\n", lines) + $"Se désinscrire ({link})\n";
        var message = new MimeMessage { Subject = $"Pour Personne {i}" };
        message.From.Add(new MailboxAddress("Bench", "no-reply@sankore.test"));
        message.To.Add(new MailboxAddress($"Personne {i}", $"p{i}@exemple.cg"));
        message.ReplyTo.Add(new MailboxAddress("", "head@sankore.test"));
        message.Headers.Add("List-Unsubscribe", $"<{link}>");
        message.Headers.Add("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
        message.Headers.Add("Precedence", "bulk");
        message.Body = new MultipartAlternative { new TextPart("plain") { Text = text }, new TextPart("html") { Text = html } };
        return message;
    }

    private static string Repeated(string format, int times)
    {
        var line = format.Replace("{0}", "Les portes de l'etablissement sont ouvertes samedi.", StringComparison.Ordinal);
        return string.Concat(Enumerable.Repeat(line, times));
    }
}
