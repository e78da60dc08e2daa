using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using MimeKit;
using MimeKit.Encodings;

namespace Sankore.Platform.Mail;

/// <summary>What MimeKit has once for a whole program, set before anything of it is used.</summary>
internal static class MimeKitSettings
{
    [ModuleInitializer]
    internal static void Set()
    {
        // MimeKit looks once for charsets that .NET alone does not have.
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        MailboxAddress.IdnMapping = new AsciiDomains();
    }

    /// <summary>A domain in punycode stays so: MimeKit would turn it into letters, and ask for SMTPUTF8 because of them.</summary>
    private sealed class AsciiDomains : IPunycode
    {
        private static readonly IdnMapping Idn = new();

        public string Encode(string domain) => Ascii.IsValid(domain) ? domain : Idn.GetAscii(domain);

        public string Encode(string domain, int index) => Encode(domain[index..]);

        public string Encode(string domain, int index, int count) => Encode(domain.Substring(index, count));

        public string Decode(string domain) => domain;

        public string Decode(string domain, int index) => domain[index..];

        public string Decode(string domain, int index, int count) => domain.Substring(index, count);
    }
}
