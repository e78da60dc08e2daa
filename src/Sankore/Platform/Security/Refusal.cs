namespace Sankore.Platform.Security;

/// <summary>Why something is refused: a stable code, an HTTP status, and the resource that holds the message under that code.</summary>
/// <param name="Code">Stable and documented in docs/errors.md; clients may depend on it.</param>
/// <param name="Status">The HTTP status of the answer.</param>
/// <param name="Strings">The module's resource type, e.g. <c>Sankore.Tenancy.Strings</c>.</param>
public sealed record Reason(string Code, int Status, Type Strings)
{
    /// <summary>The reasons that belong to no module.</summary>
    public static readonly Reason
        BadRequest = Of("BAD_REQUEST", 400),
        Invalid = Of("VALIDATION_FAILED", 400),
        Unauthenticated = Of("UNAUTHENTICATED", 401),
        Forbidden = Of("FORBIDDEN", 403),
        OriginForeign = Of("ORIGIN_FOREIGN", 403),
        NotFound = Of("NOT_FOUND", 404),
        MethodNotAllowed = Of("METHOD_NOT_ALLOWED", 405),
        Conflict = Of("CONFLICT", 409),
        InUse = Of("IN_USE", 409),
        Immutable = Of("IMMUTABLE", 409),
        Stale = Of("STALE", 412),
        TooLarge = Of("TOO_LARGE", 413),
        UnsupportedMediaType = Of("UNSUPPORTED_MEDIA_TYPE", 415),
        Unprocessable = Of("UNPROCESSABLE", 422),
        PicturesFull = Of("PICTURES_FULL", 409),
        ImportStarted = Of("IMPORT_STARTED", 409),
        ImportUnchecked = Of("IMPORT_UNCHECKED", 409),
        FileInvalid = Of("FILE_INVALID", 422),
        FileProtected = Of("FILE_PROTECTED", 422),
        ColumnMissing = Of("COLUMN_MISSING", 422),
        ImportColumns = Of("IMPORT_COLUMNS", 422),
        ImportInvalid = Of("IMPORT_INVALID", 422),
        VersionRequired = Of("VERSION_REQUIRED", 428),
        TooManyRequests = Of("TOO_MANY_REQUESTS", 429),
        TooManyStreams = Of("TOO_MANY_STREAMS", 429),
        Internal = Of("INTERNAL", 500),
        Unavailable = Of("UNAVAILABLE", 503);

    private static Reason Of(string code, int status) => new(code, status, typeof(Platform.Strings));

    /// <summary>Every reason of the platform itself, for the table of contents and the guard tests.</summary>
    public static IEnumerable<Reason> Common =>
        typeof(Reason).GetFields(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Static)
        .Where(f => f.FieldType == typeof(Reason)).Select(f => (Reason)f.GetValue(null)!);

    /// <summary>The nearest common reason for a bare HTTP status.</summary>
    public static Reason ForStatus(int status) =>
        Common.FirstOrDefault(r => r.Status == status && r != Invalid) ?? (status >= 500 ? Internal : BadRequest);
}

/// <summary>What is wrong with one field of an input: a key of the resource and its arguments.</summary>
public sealed record FieldError(string Key, params object[] Args);

/// <summary>A member of a body that cannot be read, with what is wrong with it; the reader adds which it is.</summary>
internal sealed class FieldException(FieldError error) : System.Text.Json.JsonException
{
    public FieldError Error { get; } = error;
}

/// <summary>A use case says no. One place turns it into problem+json (RFC 9457), or into a message on the page.</summary>
public sealed class Refusal(Reason reason, params object[] args) : Exception(reason.Code)
{
    public Reason Reason { get; } = reason;

    /// <summary>Arguments of the message, such as the name of what stands in the way.</summary>
    public IReadOnlyList<object> Args { get; } = args;

    /// <summary>When it makes sense to ask again (the header <c>Retry-After</c>); null: nothing is said of it.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Errors by field in camelCase, for <see cref="Reason.Invalid"/> and whatever else concerns one field.</summary>
    public IReadOnlyDictionary<string, FieldError> Fields { get; init; } = new Dictionary<string, FieldError>();

    /// <summary>Whether its unit of work is committed all the same: what that has written is that the attempt was made.</summary>
    public bool KeepsWork { get; init; }

    /// <summary>A refusal that concerns one field, and is said beside it.</summary>
    public static Refusal At(string field, Reason reason) =>
        new(reason) { Fields = new Dictionary<string, FieldError> { [field] = new(reason.Code) } };

    /// <summary>
    /// Why a change touched nothing of a row that the caller sees: it has another version by now, or is not the caller's to change.
    /// </summary>
    /// <param name="found">The version that the row has.</param>
    /// <param name="expected">The version that the change was based on; null: any.</param>
    /// <param name="name">The row's name, for the message; null where it has none.</param>
    public static Refusal Untouched(int found, int? expected, string? name = null) =>
        expected is null || found == expected ? new Refusal(Reason.Forbidden) : new Refusal(Reason.Stale, name is null ? [] : [name]);
}

/// <summary>Collects what is wrong with an input, so that a person sees all of it at once.</summary>
public sealed class Validation
{
    private readonly Dictionary<string, FieldError> _errors = [];

    /// <summary>A text that must not be blank and not be longer than <paramref name="max"/> characters.</summary>
    public Validation Required(string field, string? value, int max) =>
        string.IsNullOrWhiteSpace(value) ? Add(field, "field.required") : Optional(field, value, max);

    /// <summary>A text of at most <paramref name="max"/> characters, without control characters.</summary>
    public Validation Optional(string field, string? value, int max) =>
        value is null ? this
        : value.Length > max ? Add(field, "field.too_long", max)
        : value.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t')) ? Add(field, "field.invalid")
        : this;

    /// <summary>A value of a closed list.</summary>
    public Validation OneOf(string field, string? value, IReadOnlyCollection<string> allowed) =>
        value is not null && allowed.Contains(value) ? this : Add(field, "field.one_of", string.Join(", ", allowed));

    /// <summary>A number between two bounds.</summary>
    public Validation Between(string field, int value, int min, int max) =>
        value < min || value > max ? Add(field, "field.between", min, max) : this;

    /// <summary>Any other rule.</summary>
    public Validation That(string field, bool holds, string key = "field.invalid") => holds ? this : Add(field, key);

    /// <summary>What a rule of its own found wrong; null: nothing.</summary>
    public Validation Unless(string field, FieldError? mistake) => mistake is null ? this : Add(field, mistake.Key, mistake.Args);

    /// <summary>Throws <see cref="Reason.Invalid"/> with every error found.</summary>
    public void Check()
    {
        if (_errors.Count > 0)
        {
            throw new Refusal(Reason.Invalid) { Fields = _errors };
        }
    }

    private Validation Add(string field, string key, params object[] args)
    {
        _errors.TryAdd(field, new FieldError(key, args));
        return this;
    }
}
