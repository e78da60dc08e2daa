using System.Globalization;

namespace Sankore.Tests.Fuzz;

/// <summary>What requests are filled with: values that a server expects, and values that it does not, the worst first.</summary>
internal static class Values
{
    private const int LongestInAddress = 300;

    /// <summary>Whole bodies that are no object of the API; a character is a byte.</summary>
    public static readonly string[] WrongBodies =
    [
        "null", "", "{}", "[]", "[null]", "{\"\\ud800\":1}", "{\"a\":\"ÿ\"}", "{\"ÿ\":1}", " ", "{", "5", "\"x\"", "{\"a\":1,}",
        "{\"a\":1}{\"b\":2}", "\0", "ÿþ{}", "{'a':1}", "//", "infinity",
        new string('[', 1000), $"{{\"a\":{new string('[', 40)}{new string(']', 40)}}}",
        $"{{\"a\":\"{new string('x', 900_000)}\"}}",
    ];

    /// <summary>Content types that a body does not have.</summary>
    public static readonly string?[] WrongTypes =
    [
        null, "application/json; charset=none", "multipart/form-data; boundary=b", "multipart/form-data",
        "application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-16", "application/xml",
        "application/problem+json", "x", "*/*",
    ];

    /// <summary>Versions that a header may not name.</summary>
    public static readonly string?[] WrongVersions =
    [
        "\"2147483648\"", null, "*", "\"0\"", "\"\"", "W/\"1\"", "\"-1\"", "\"1\", \"2\"", "1", "\"x\"",
    ];

    /// <summary>Members that no schema has.</summary>
    public static readonly string[] Unknown =
    [
        "\"\\ud800\":1", "\"\":null", "\"a\\u0000b\":{}", "\"__proto__\":{}", "\"id\":\"x\"", "\"version\":0",
    ];

    /// <summary>Files that are none, or nearly; the first is one.</summary>
    public static readonly string[] Sheets =
    [
        "Nom;E-mail;Code\nA;a@exemple.cg;\n", "", "\0\0", "Nom;\0Code\nA\0;\"b\n", "PK\u0003\u0004", "ÐÏ\u0011à¡±\u001aá", "\"",
        ";;;\n;;;\n;", "ÿþN\0o\0m\0", "a\n\u0085", "Nom\n", "Nom;E-mail;Rôle;École\nA;b@exemple.cg;teacher;\n",
        $"Nom\n{new string('x', 100_000)}\n", new string(';', 20_000),
    ];

    /// <summary>What an address may carry as it stands, though nobody writes it.</summary>
    private static readonly string[] Escapes = ["%00", "%ff", "%ed%a0%80", "a%00b", "%25", "%2e%2e%2f", "%0d%0aX:%20y", "", "%", "+"];

    private static readonly string[] WrongJson =
    [
        "null", "[null]", "5", "true", "\"x\"", "[]", "{}", "[[]]", "{\"a\":{}}", "1e400", "[1,\"a\",null]",
        $"{new string('[', 60)}{new string(']', 60)}",
    ];

    private static readonly string[] Texts =
    [
        "\0", "\ud800", new('y', 150_000), "", " ", "a\0b", "a\udfffb", new('x', 300), new('é', 5_000),
        string.Concat(Enumerable.Repeat("🎓", 130)), "\u0001\u001b[0m", "\u202e\u2066", "\ufeff", "\uffff", "🎓👩‍🏫", "İſß",
        "e\u0301\u0301\u0301", "'; drop table tenancy.schools; --", "' or 1=1 --", "%", "_", "\\", "{{contact.name}}", "{{#", "{0}",
        "../..", "<script>x</script>", "null", "NaN", "-infinity", "infinity", "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00Z",
        "9999-12-31", "0001-01-01", "9999-12-31T23:59", "0001-01-01T00:00", "a@b", "a@b.c\r\nBcc: x@y.z", "\"a b\"@exemple.cg",
        "é@exemple.cg", "\r\n", "\u00a0", "1", "-1", "99999999999999999999", "true", "-", "a,b", "/", "//x", "javascript:x", "[]", "{}",
    ];

    private static readonly string[] Numbers =
    [
        "2147483647", "-2147483648", "2147483648", "9223372036854775807", "-1", "0", "-9223372036854775808", "9223372036854775808",
        "1e400", "1.5", "1e2", "-0", "10000", "\"12\"", "\"\"", "\"x\"", "\" 1\"",
    ];

    private static readonly string[] Moments =
    [
        "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "infinity", "0001-01-01T00:00:00+14:00",
        "9999-12-31T00:00:00", "0001-01-01T00:00:00", "-infinity", "2024-02-30T00:00:00Z", "2027-01-01", "2027-01-01T00:00:00.000+02:00",
        "1900-01-01T00:00:00Z", "", "x",
    ];

    private static readonly string[] WrongTexts = [.. Texts.Select(Quoted), .. WrongJson], WrongTextsInAddress = Escaped(Texts);
    private static readonly string[] WrongNumbers = [.. Numbers, .. WrongJson], WrongNumbersInAddress = Escaped(Numbers);
    private static readonly string[] WrongMoments = [.. Moments.Select(Quoted), .. WrongJson], WrongMomentsInAddress = Escaped(Moments);

    // By name, or by where it stands: in a body, a query, or a path. The first is the most common.
    private static readonly Dictionary<string, string[]> Words = new(StringComparer.OrdinalIgnoreCase)
    {
        ["action"] = ["assigned", "refused", "INSERT", "UPDATE"],
        ["audience.kind"] = ["all", "segment", "organizations"],
        ["billingPeriod"] = ["monthly", "yearly"],
        ["campaigns.kind"] = ["all", "segment", "organizations"],
        ["campaigns?status"] = ["sent", "draft"],
        ["color"] = ["green", "blue"],
        ["country"] = ["CG", "FR"],
        ["currency"] = ["XAF", "EUR"],
        ["domain"] = ["exemple.cg"],
        ["events/{provider}"] = ["generic", "mailgun", "sendgrid", "postmark"],
        ["format"] = ["csv", "xlsx"],
        ["icon"] = ["book", "users"],
        ["imports/{kind}"] = ["schools", "staff", "groups"],
        ["invitations.role"] = ["admin", "moderator", "member"],
        ["kind"] = ["core", "premium"],
        ["level"] = ["primary", "secondary"],
        ["modules/{code}"] = ["campagnes", "formation"],
        ["permissions"] = ["tenancy.read", "operations.read"],
        ["reason"] = ["manual", "unsubscribed"],
        ["role"] = ["teacher", "head", "secretary", "group_admin"],
        ["roles/{role}"] = ["member", "moderator"],
        ["route"] = ["/campaigns"],
        ["sort"] = ["name", "-name", "email", "at", "-at", "status"],
        ["status"] = ["active", "inactive"],
        ["subscriptions.status"] = ["active", "suspended", "cancelled", "trialing"],
        ["table"] = ["schools", "tenancy.schools"],
        ["timeZone"] = ["Africa/Brazzaville", "UTC"],
        ["users.role"] = ["member", "moderator"],
        ["verdict"] = ["valid", "invalid", "new", "created"],
    };

    /// <summary>One of some.</summary>
    public static T Pick<T>(this Random random, IReadOnlyList<T> some) => some[random.Next(some.Count)];

    /// <summary>An id of nothing.</summary>
    public static string NoId(this Random random)
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return $"{new Guid(bytes)}";
    }

    /// <summary>A moment of the next months.</summary>
    public static string Moment(this Random random) =>
        DateTime.UtcNow.Date.AddDays(1 + random.Next(200)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>A text that a member or a parameter of this name may have.</summary>
    /// <param name="place"><c>noun.name</c> in a body, <c>noun?name</c> in a query, <c>noun/{name}</c> in a path.</param>
    /// <param name="mark">Stands in texts that are free.</param>
    public static string Text(this Random random, string place, string name, string mark)
    {
        var word = $"{mark}-{random.Next(100_000)}".ToLowerInvariant();
        return (Words.GetValueOrDefault(place) ?? Words.GetValueOrDefault(name)) is { } words
                ? random.Next(2) == 0 ? words[0] : random.Pick(words)
            : name.EndsWith("email", StringComparison.OrdinalIgnoreCase) || name == "replyTo" ? $"{word}@exemple.cg"
            : name.Contains("phone", StringComparison.OrdinalIgnoreCase) ? "+242 06 000 00 00"
            : name == "content" ? $"<p>{word} {{{{contact.name}}}}</p>"
            : name == "at" ? Moment(random)[..16]
            : name == "consentOn" ? "2026-01-31"
            : name is "code" or "slug" or "tags" or "tag" ? word
            : $"{mark} {word}";
    }

    /// <summary>JSON that stands where a value of this shape should.</summary>
    /// <param name="right">What should stand there.</param>
    public static IReadOnlyList<string> Wrong(string shape, string right) => shape switch
    {
        "object" or "array" or "boolean" => WrongJson,
        "integer" => WrongNumbers,
        "date-time" => WrongMoments,
        "uuid" => [.. WrongIds(right.Trim('"')).Select(Quoted), .. WrongJson],
        _ => WrongTexts,
    };

    /// <summary>What stands in an address where a value of this shape should, escaped.</summary>
    /// <param name="right">What should stand there.</param>
    public static IReadOnlyList<string> WrongInAddress(string shape, string right) => shape switch
    {
        "integer" => WrongNumbersInAddress,
        "date-time" => WrongMomentsInAddress,
        "uuid" => Escaped(WrongIds(right)),
        _ => WrongTextsInAddress,
    };

    /// <summary>A text as JSON in ASCII; what no text may have (half a pair of surrogates) stands in it as it is.</summary>
    public static string Quoted(string text) =>
        $"\"{string.Concat(text.Select(c => c is >= ' ' and < (char)127 and not '"' and not '\\' ? $"{c}" : $"\\u{(int)c:x4}"))}\"";

    private static string[] WrongIds(string right) =>
    [
        $"{Guid.Empty}", "x", "", right.ToUpperInvariant(), right.Replace("-", "", StringComparison.Ordinal), $"{{{right}}}", right + "0",
        $"{Guid.AllBitsSet}", "0", "' or 1=1 --", "\0",
    ];

    private static string[] Escaped(IEnumerable<string> texts) =>
        [.. texts.Select(t => Uri.EscapeDataString(t[..Math.Min(t.Length, LongestInAddress)].Trim('"'))), .. Escapes];
}
