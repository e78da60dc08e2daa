using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Sankore.Tests.Support;

/// <summary>
/// Reads mail with Python's own libraries: somebody else's opinion of what was written. Tests are skipped where they are not installed.
/// </summary>
public sealed class PythonMail : IDisposable
{
    private const string Script = """
        import base64, email, email.header, email.policy, email.utils, json, sys

        # The newer interface leaves spaces between the encoded words of a name (3.11).
        def mailbox(header):
            if header is None:
                return []
            name, address = email.utils.parseaddr(header)
            return [[str(email.header.make_header(email.header.decode_header(name))), address]]

        def verify(message, record):
            import dkim
            return dkim.verify(message, dnsfunc=lambda name, timeout=5: record.encode())

        def read(raw):
            m = email.message_from_bytes(raw, policy=email.policy.default)
            old = email.message_from_bytes(raw)
            text, html = m.get_body(('plain',)), m.get_body(('html',))
            return {
                'Subject': str(m['Subject']), 'From': mailbox(old['From']), 'To': mailbox(old['To']), 'ReplyTo': mailbox(old['Reply-To']),
                'MessageId': m['Message-ID'], 'Date': m['Date'].datetime.timestamp(), 'Extra': m['X-Extra'] and str(m['X-Extra']),
                'Text': text and text.get_content().replace('\r\n', '\n'), 'Html': html and html.get_content().replace('\r\n', '\n'),
                'Files': [
                    [p.get_filename(), p.get_content_type(), base64.b64encode(p.get_payload(decode=True)).decode()]
                    for p in m.iter_attachments()] if m.is_multipart() else [],
                'Defects': [repr(d) for p in m.walk() for d in p.defects],
            }

        for line in sys.stdin:
            asked = json.loads(line)
            raw = base64.b64decode(asked['Message'])
            print(json.dumps(verify(raw, asked['Record']) if asked['Record'] else read(raw)), flush=True)
        """;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly Lazy<Process?> _process = new(Start);

    /// <summary>What Python's email package reads.</summary>
    public PythonLetter Read(ReadOnlySpan<byte> message) => Ask(message, null).Deserialize<PythonLetter>()!;

    /// <summary>Whether python3-dkim takes the message for signed by the key of a record.</summary>
    public bool Verifies(ReadOnlySpan<byte> message, string record) => Ask(message, record).GetBoolean();

    public void Dispose()
    {
        if (_process is { IsValueCreated: true, Value: { } process })
        {
            process.StandardInput.Close();
            if (!process.WaitForExit(Limit))
            {
                process.Kill();
            }
            process.Dispose();
        }
    }

    private JsonElement Ask(ReadOnlySpan<byte> message, string? record)
    {
        Assert.SkipWhen(_process.Value is null, "python3 with the module dkim is not installed (package python3-dkim)");
        _process.Value!.StandardInput.WriteLine(
            JsonSerializer.Serialize(new { Message = Convert.ToBase64String(message), Record = record }));
        var answer = _process.Value.StandardOutput.ReadLine();
        return JsonSerializer.Deserialize<JsonElement>(
            answer ?? throw new InvalidOperationException(_process.Value.StandardError.ReadToEnd()));
    }

    private static Process? Start()
    {
        // The system's own comes first: packages install their modules for it.
        foreach (var program in (string[])["/usr/bin/python3", "python3"])
        {
            try
            {
                using var probe = Process.Start(new ProcessStartInfo(program, ["-c", "import dkim"]) { RedirectStandardError = true })!;
                if (probe.WaitForExit(Limit) && probe.ExitCode == 0)
                {
                    return Process.Start(new ProcessStartInfo(program, ["-c", Script])
                    {
                        RedirectStandardInput = true,
                        RedirectStandardOutput = true,
                        RedirectStandardError = true,
                        StandardInputEncoding = new UTF8Encoding(false),
                        StandardOutputEncoding = Encoding.UTF8,
                    });
                }
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // Not here: the next one.
            }
        }
        return null;
    }
}

/// <summary>A message as Python reads it; addresses are pairs of name and address, files are name, type and base64.</summary>
public sealed record PythonLetter(
    string Subject, string[][] From, string[][] To, string[][] ReplyTo, string MessageId, double Date, string? Extra, string? Text,
    string? Html, string[][] Files, string[] Defects);
