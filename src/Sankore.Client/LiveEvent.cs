using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Sankore.Client;

/// <summary>Something that the feed tells: a <see cref="RowChanged"/> or a <see cref="Reset"/>, nothing else.</summary>
public abstract record LiveEvent
{
    private protected LiveEvent(long position) => Position = position;

    /// <summary>
    /// Where in the feed it stands. Positions of one feed increase, with gaps; only a <see cref="Reset"/> may go back (the server's
    /// database was restored).
    /// </summary>
    public long Position { get; }

    /// <summary>An event off the wire; null when its type is none that this version knows.</summary>
    /// <exception cref="MalformedEventException">It is not what its type promises.</exception>
    internal static LiveEvent? From(SseItem<byte[]> item)
    {
        if (item.EventType is not ("change" or "reset"))
        {
            return null;
        }
        try
        {
            var position = long.Parse(item.EventId ?? "", NumberStyles.None, CultureInfo.InvariantCulture);
            if (item.EventType == "reset")
            {
                return new Reset(
                    position,
                    TimeSpan.FromMilliseconds(
                        JsonSerializer.Deserialize(item.Data, WireContext.Default.ResetData)?.Spread ?? throw new JsonException("null")));
            }
            var data = JsonSerializer.Deserialize(item.Data, WireContext.Default.ChangeData) ?? throw new JsonException("null");
            return new RowChanged(position, data.Table, data.Op, data.Id, data.Row, data.At);
        }
        catch (Exception e) when (e is JsonException or FormatException or OverflowException)
        {
            throw new MalformedEventException(item.EventId, item.EventType, Encoding.UTF8.GetString(item.Data), e);
        }
    }
}

/// <summary>A row is there, was changed, or is gone, as far as the feed's person may see it.</summary>
/// <param name="Position">Where in the feed it stands.</param>
/// <param name="Table">Which table, with its schema: <c>tenancy.modules</c>.</param>
/// <param name="Op">What became of the row. <see cref="ChangeOp.Delete"/> means gone for this person, and perhaps only for them.</param>
/// <param name="Id">Which row; empty where the feed only says that some of the table changed.</param>
/// <param name="Row">The row as it is now, with the fields that this person may see; null after a deletion. Null otherwise means: something
/// of the table changed, read it again (<see cref="IsTableOnly"/>).</param>
/// <param name="At">When it was committed, by the server's clock.</param>
public sealed record RowChanged(long Position, string Table, ChangeOp Op, string Id, JsonElement? Row, DateTimeOffset At)
    : LiveEvent(Position)
{
    /// <summary>Whether the feed does not say what changed, only that this table did: read again what you show of it.</summary>
    public bool IsTableOnly => Row is null && Op != ChangeOp.Delete;

    /// <summary>The row as an object of yours; the default when there is no row.</summary>
    /// <param name="options">How to read it; null: names in camelCase, as the feed writes them.</param>
    /// <exception cref="JsonException">The row does not fit <typeparamref name="T"/>.</exception>
    [RequiresUnreferencedCode("Use the overload that takes a JsonTypeInfo when trimming.")]
    [RequiresDynamicCode("Use the overload that takes a JsonTypeInfo with native AOT.")]
    public T? RowAs<T>(JsonSerializerOptions? options = null) =>
        Row is { } row ? row.Deserialize<T>(options ?? JsonSerializerOptions.Web) : default;

    /// <summary>The row as an object of yours, by source-generated metadata; the default when there is no row.</summary>
    /// <exception cref="JsonException">The row does not fit <typeparamref name="T"/>.</exception>
    public T? RowAs<T>(JsonTypeInfo<T> type) => Row is { } row ? row.Deserialize(type) : default;
}

/// <summary>
/// What was missed cannot be told event by event, or the person's rights changed: forget what you hold, read everything again through the
/// API, and go on with what follows. A feed without a position begins with one, so the first start and a long absence are the same code.
/// </summary>
/// <param name="Position">Where in the feed it stands: what follows is newer than what you read from now on.</param>
/// <param name="Spread">How long to take at most before reading: many clients may be told at once, so wait a random part of it. Zero at a
/// first start.</param>
public sealed record Reset(long Position, TimeSpan Spread) : LiveEvent(Position);

/// <summary>What became of a row.</summary>
public enum ChangeOp
{
    /// <summary>New, or new for this person. Treat it as <see cref="Update"/>: whoever resumes may know the row already.</summary>
    [JsonStringEnumMemberName("INSERT")]
    Insert,

    /// <summary>Changed. The row may be one that you do not hold yet: keep it then.</summary>
    [JsonStringEnumMemberName("UPDATE")]
    Update,

    /// <summary>Gone, or not this person's to see any more.</summary>
    [JsonStringEnumMemberName("DELETE")]
    Delete,
}

internal sealed record ChangeData(string Table, ChangeOp Op, string Id, DateTimeOffset At, JsonElement? Row = null);

internal sealed record ResetData(int Spread);

internal sealed class OpConverter() : JsonStringEnumConverter<ChangeOp>(namingPolicy: null, allowIntegerValues: false);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    Converters = [typeof(OpConverter)])]
[JsonSerializable(typeof(ChangeData)), JsonSerializable(typeof(ResetData)), JsonSerializable(typeof(Credentials)),
    JsonSerializable(typeof(RefreshInput)), JsonSerializable(typeof(Tokens)), JsonSerializable(typeof(Problem))]
internal sealed partial class WireContext : JsonSerializerContext;
