using System.Text;

namespace Sankore.Tests.Fuzz;

/// <summary>A request as it is sent.</summary>
/// <param name="Route">The address in the document.</param>
/// <param name="Target">Path and query, escaped.</param>
/// <param name="Body">A character is a byte; null: none.</param>
internal sealed record FuzzRequest(string Method, string Route, string Target, string? IfMatch, string? ContentType, string? Body)
{
    /// <summary>Stands for the version that the row has when it is asked for.</summary>
    public const string Current = "\"current\"";

    private const int MostShown = 600;

    /// <summary>How much there is to read.</summary>
    public int Length => Target.Length + (Body?.Length ?? 0);

    /// <summary>The request, to be sent.</summary>
    public HttpRequestMessage ToMessage(Uri address)
    {
        // As it is: nothing is put right before it is sent.
        var asWritten = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        var message = new HttpRequestMessage(new HttpMethod(Method), new Uri($"http://{address.Authority}{Target}", asWritten));
        if (Body is not null)
        {
            message.Content = new ByteArrayContent(Encoding.Latin1.GetBytes(Body));
            message.Content.Headers.TryAddWithoutValidation("Content-Type", ContentType);
        }
        if (IfMatch is not null)
        {
            message.Headers.TryAddWithoutValidation("If-Match", IfMatch);
        }
        return message;
    }

    /// <summary>Whether something stands in it.</summary>
    public bool Contains(string text) => (Target + Body).Contains(text, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override string ToString()
    {
        string?[] parts = [Method, Shown(Target), IfMatch is null ? null : $"If-Match: {IfMatch}", ContentType, Shown(Body)];
        return string.Join(' ', parts.OfType<string>());
    }

    private static string? Shown(string? text) =>
        (text?.Length > MostShown ? $"{text[..MostShown]}… ({text.Length} characters)" : text)?
            .Replace("\0", "\\0", StringComparison.Ordinal);
}
