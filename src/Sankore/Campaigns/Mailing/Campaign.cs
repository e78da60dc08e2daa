using System.Text.Json;
using System.Text.Json.Serialization;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>Whom a campaign is for; those on the suppression list are never among them.</summary>
/// <param name="Kind">One of <see cref="Kinds"/>.</param>
/// <param name="SegmentId">Of a segment.</param>
/// <param name="OrganizationIds">Of any of these organisations.</param>
/// <param name="Tags">With any of these tags.</param>
/// <param name="ContactIds">These people, one by one.</param>
public sealed record Audience(
    string Kind, Guid? SegmentId = null, IReadOnlyList<Guid>? OrganizationIds = null, IReadOnlyList<string>? Tags = null,
    IReadOnlyList<Guid>? ContactIds = null)
{
    private const int Most = 1000;

    public static readonly string[] Kinds = ["all", "segment", "tags", "organizations", "contacts"];

    private static readonly JsonSerializerOptions Json =
        new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static Audience All { get; } = new("all");

    /// <summary>Whether it says who is meant, and nothing that another kind would say.</summary>
    internal bool IsWhole => (Kind == "segment") == SegmentId is not null && Said("organizations", OrganizationIds?.Count)
        && Said("tags", Tags?.Count) && Said("contacts", ContactIds?.Count);

    /// <summary>The same with tags as contacts have them.</summary>
    internal Audience Normalized() => Tags is null ? this : this with { Tags = ContactInput.TagsOf(Tags) };

    private bool Said(string kind, int? count) => (Kind == kind) == count is > 0 and <= Most;

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    internal static Audience Of(string json) => JsonSerializer.Deserialize<Audience>(json, Json)!;
}

/// <summary>What is written to many (document 001, « email_campaigns »).</summary>
/// <param name="Status">See <see cref="CampaignStates"/>.</param>
/// <param name="FromName">The sender's name; null: the user's own.</param>
/// <param name="ReplyTo">Where answers go; null: the user's own address.</param>
/// <param name="ScheduledAt">When it is to be sent, in UTC.</param>
/// <param name="TimeZone">The sender's time zone (IANA), in which it was scheduled.</param>
/// <param name="Failure">The code of what it failed of, or was paused for.</param>
/// <param name="ServerReply">What the mail server said that concerns the whole campaign.</param>
/// <param name="ResumesAt">When it goes on by itself: the mail server's limit was reached.</param>
/// <param name="Design">What <paramref name="Content"/> was made of; null: its author wrote the HTML.</param>
public sealed record Campaign(
    Guid Id, string Name, string Subject, string Content, string Status, Guid? TemplateId, string? FromName, string? ReplyTo,
    Audience Audience, bool TrackOpens, bool TrackClicks,
    DateTime? ScheduledAt, string TimeZone, DateTime? StartedAt, DateTime? FinishedAt, string? Failure, string? ServerReply,
    DateTime? ResumesAt, int Version, DateTime CreatedAt,
    DateTime UpdatedAt, MessageDesign? Design) : IVersioned;

/// <summary>The states of a campaign and the ways between them. The database holds to the same (<c>campaigns.may_become</c>).</summary>
public static class CampaignStates
{
    private static readonly Dictionary<string, string[]> Ways = new()
    {
        ["draft"] = ["scheduled", "sending", "cancelled"],
        ["scheduled"] = ["draft", "sending", "cancelled"],
        ["sending"] = ["paused", "sent", "failed", "cancelled"],
        ["paused"] = ["sending", "cancelled"],
        ["sent"] = [],
        ["failed"] = [],
        ["cancelled"] = [],
    };

    public static IReadOnlyCollection<string> All => Ways.Keys;

    /// <summary>Whether a campaign is neither written still nor over; the database has the same (<c>campaigns.is_under_way</c>).</summary>
    public static bool IsUnderWay(string state) => state is "scheduled" or "sending" or "paused";

    /// <summary>Whether a campaign may go from one state to another.</summary>
    public static bool May(string from, string to) => Ways[from].Contains(to);
}

/// <summary>What a person writes of a campaign; a draft may still lack its subject and its content.</summary>
/// <param name="Content">HTML; made of <paramref name="Design"/> where there is one.</param>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it.</param>
/// <param name="Design">The message in blocks.</param>
public sealed record CampaignInput(
    string? Name, string? Subject, string? Content, Guid? TemplateId, string? FromName, string? ReplyTo, Audience? Audience,
    bool? TrackOpens, bool? TrackClicks, int? Version, MessageDesign? Design = null)
{
    /// <summary>The input in its one form. Refuses with VALIDATION_FAILED.</summary>
    internal CampaignInput Normalized()
    {
        var input = this with
        {
            Name = Texts.Blank(Name),
            Subject = Subject?.Trim() ?? "",
            Content = Content ?? "",
            Design = Design?.Normalized(),
            FromName = Texts.Blank(FromName),
            ReplyTo = Addresses.Normalize(ReplyTo),
            Audience = (Audience ?? Audience.All).Normalized(),
            TrackOpens = TrackOpens ?? false,
            TrackClicks = TrackClicks ?? false,
        };
        new Validation().Required("name", input.Name, 120).Draft(input.Subject, input.Content)
            .Optional("fromName", input.FromName, 120)
            .That("replyTo", input.ReplyTo is null || Mail.IsAddress(input.ReplyTo), "EMAIL_INVALID")
            .OneOf("audience", input.Audience.Kind, Audience.Kinds)
            .That("audience", input.Audience.IsWhole, "audience.choose").Check();
        return input;
    }
}

/// <summary>What a campaign says, as the editor saves it while it is written.</summary>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it.</param>
public sealed record MessageInput(string? Subject, MessageDesign? Design, int? Version);

/// <summary>When a campaign is to be sent, as the clock on the sender's wall has it.</summary>
/// <param name="At"><c>yyyy-mm-ddThh:mm</c>.</param>
/// <param name="TimeZone">IANA, e.g. <c>Africa/Brazzaville</c> (the default).</param>
public sealed record ScheduleInput(string? At, string? TimeZone)
{
    /// <summary>
    /// The moment, and the zone. Refuses with VALIDATION_FAILED for what is no time, is over, is more than a year away, or never comes (a
    /// clock that jumps).
    /// </summary>
    internal (DateTimeOffset At, string Zone) Normalized(DateTimeOffset now)
    {
        var name = Texts.Blank(TimeZone) ?? Zones.Default;
        new Validation().That("timeZone", Zones.Find(name) is not null).Check();
        var at = Moment.At(At, Zones.Find(name)!);
        new Validation().That("at", at is not null).Check();
        new Validation().That("at", at > now && at < now.AddYears(1), "schedule.past").Check();
        return (at!.Value, name);
    }
}
