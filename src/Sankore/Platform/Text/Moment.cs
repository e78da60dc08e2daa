using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Sankore.Platform.Security;

namespace Sankore.Platform.Text;

/// <summary>
/// A moment that somebody outside says: in the years 2000 to 2199, to the microsecond, as the database keeps it. It is the one type of
/// every input, path and query that has a moment; without an offset it is UTC. What is further away, and what the database would take for
/// infinity, is none.
/// </summary>
[JsonConverter(typeof(MomentJson))]
public readonly record struct Moment
{
    /// <summary>The first year.</summary>
    public const int FirstYear = 2000;

    /// <summary>The last year.</summary>
    public const int LastYear = 2199;

    private static readonly DateTime First = new(FirstYear, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly string[] Forms =
        ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd"];
    private static readonly string[] LocalForms = ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss"];

    // So that the default, too, is a moment of the range.
    private readonly TimeSpan _sinceFirst;

    private Moment(DateTime utc) => _sinceFirst = TimeSpan.FromMicroseconds((utc - First).Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>The moment in UTC, as parameters of statements have it.</summary>
    public DateTime Utc => First + _sinceFirst;

    /// <summary>A moment that is known; null when it is out of the range.</summary>
    public static Moment? Of(DateTimeOffset at) => at.UtcDateTime is { Year: >= FirstYear and <= LastYear } utc ? new Moment(utc) : null;

    /// <summary>Seconds since 1970; null when they are out of the range.</summary>
    public static Moment? OfUnixSeconds(double seconds) =>
        seconds is > 0 and < 1e11 ? Of(DateTimeOffset.UnixEpoch.AddSeconds(seconds)) : null;

    /// <summary>A moment as programs write it (ISO 8601); null for what is none.</summary>
    public static Moment? Parse(string? text) =>
        IsTime(text, out var at) ? Of(at) : null;

    /// <summary>
    /// A time on the clocks of a zone, as forms have it (<c>yyyy-mm-ddThh:mm</c>); null for what is none, or never comes there (a clock
    /// that jumps).
    /// </summary>
    public static Moment? At(string? text, TimeZoneInfo zone) =>
        DateTime.TryParseExact(text, LocalForms, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local)
            && local.Year is >= FirstYear and <= LastYear && !zone.IsInvalidTime(local)
            ? Of(new DateTimeOffset(local, zone.GetUtcOffset(local))) : null;

    /// <summary>For the binding of paths and queries.</summary>
    public static bool TryParse(string? text, IFormatProvider? provider, out Moment moment)
    {
        var read = Parse(text);
        moment = read ?? default;
        return read is not null;
    }

    /// <summary>The same moment with the offset of UTC.</summary>
    public static implicit operator DateTimeOffset(Moment moment) => new(moment.Utc);

    /// <summary>Whether a text would be a moment if the range were wider.</summary>
    internal static bool IsFar(string? text) => IsTime(text, out var at) && Of(at) is null;

    private static bool IsTime(string? text, out DateTimeOffset at) =>
        DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out at);

    /// <summary>ISO 8601 in UTC.</summary>
    public override string ToString() => Utc.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);
}

/// <summary>A moment in the API's description: a text of the format <c>date-time</c>.</summary>
internal static class MomentSchema
{
    public static Task Describe(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken ct)
    {
        if ((Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type) == typeof(Moment))
        {
            var isNullable = context.JsonTypeInfo.Type != typeof(Moment);
            (schema.Type, schema.Format) = (isNullable ? JsonSchemaType.String | JsonSchemaType.Null : JsonSchemaType.String, "date-time");
        }
        return Task.CompletedTask;
    }
}

/// <summary>A moment in JSON: its text.</summary>
internal sealed class MomentJson : JsonConverter<Moment>
{
    private static readonly FieldError OutOfRange = new("field.moment", Moment.FirstYear, Moment.LastYear);

    public override Moment Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        return Moment.Parse(text) ?? throw (Moment.IsFar(text) ? new FieldException(OutOfRange) : new JsonException());
    }

    public override void Write(Utf8JsonWriter writer, Moment value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
