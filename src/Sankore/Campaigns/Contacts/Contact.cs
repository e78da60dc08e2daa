using System.Text.Json;
using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>Somebody whom a person writes to (document 001, « contacts »).</summary>
/// <param name="Email">In its one form (<see cref="Addresses.Normalize"/>); one contact of a user has it, in whatever spelling.</param>
/// <param name="ConsentSource">Where the contact agreed to be written to; null when nobody said.</param>
/// <param name="ConsentAt">When.</param>
/// <param name="Suppression">Why no campaign writes to the address: <c>unsubscribed</c>, <c>bounced</c>, <c>complained</c>, <c>manual</c>;
/// null when campaigns do.</param>
/// <param name="Phone">As it was written.</param>
/// <param name="Fields">Values of the user's own fields (<see cref="ContactField"/>), by key: texts, numbers, and days as
/// <c>yyyy-mm-dd</c>.</param>
public sealed record Contact(
    Guid Id, string Email, string? Name, Guid? OrganizationId, string? OrganizationName, string[] Tags, string? ConsentSource,
    DateTime? ConsentAt,
    string? Suppression, int Version, DateTime CreatedAt, DateTime UpdatedAt, string? Phone, JsonElement Fields) : IVersioned;

/// <summary>What a person writes of a contact.</summary>
/// <param name="Organization">By its name, in any spelling; made when there is none such.</param>
/// <param name="ConsentOn">The day of consent, <c>yyyy-mm-dd</c>.</param>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it.</param>
/// <param name="Fields">Values by key, of each of the user's fields; left out: they stay as they are.</param>
public sealed record ContactInput(
    string? Email, string? Name, string? Organization, IReadOnlyList<string>? Tags, string? ConsentSource, string? ConsentOn, int? Version,
    string? Phone = null, IReadOnlyDictionary<string, JsonElement>? Fields = null)
{
    /// <summary>The most tags of a contact.</summary>
    public const int MaxTags = 20;

    /// <summary>Whether a contact can have an address: a domain of one word is one that was not finished.</summary>
    internal static bool IsAddress(string? address) =>
        Mail.IsAddress(address) && address!.LastIndexOf('.') > address.LastIndexOf('@');

    /// <summary>The input in its one form. Refuses with VALIDATION_FAILED.</summary>
    internal ContactInput Normalized()
    {
        var input = this with
        {
            Email = Addresses.Normalize(Email),
            Name = Texts.Blank(Name),
            Phone = Texts.Blank(Phone),
            Organization = Texts.Blank(Organization),
            Tags = TagsOf(Tags ?? []),
            ConsentSource = Texts.Blank(ConsentSource),
            ConsentOn = Texts.Blank(ConsentOn),
        };
        new Validation().That("email", IsAddress(input.Email), "EMAIL_INVALID").Optional("name", input.Name, 200)
            .Optional("organization", input.Organization, 200).Optional("phone", input.Phone, 40)
            .That("tags", input.Tags.Count <= MaxTags && input.Tags.All(t => t.Length <= 40), "contact.tags")
            .Optional("consentSource", input.ConsentSource, 200)
            .That("consentOn", input.ConsentOn is null || Days.Start(input.ConsentOn) is not null).Check();
        return input;
    }

    /// <summary>Tags in their one form: without blanks around them and without commas, in lower case, each once.</summary>
    internal static List<string> TagsOf(IEnumerable<string?> tags) =>
    [
        .. tags.OfType<string>().SelectMany(t => t.Split([',', ';'])).Select(t => t.Trim().ToLowerInvariant()).Where(t => t.Length > 0)
            .Distinct(),
    ];
}

/// <summary>Which contacts a list shows; all that is said must hold.</summary>
public sealed record ContactFilter
{
    public Guid? OrganizationId { get; init; }

    public string? Tag { get; init; }

    /// <summary>Of a saved filter.</summary>
    public Guid? SegmentId { get; init; }

    /// <summary>Only those whom campaigns do not (true) or do (false) write to.</summary>
    public bool? Suppressed { get; init; }
}

/// <summary>Two or more rows become one.</summary>
/// <param name="Ids">Those that go.</param>
public sealed record MergeInput(IReadOnlyList<Guid>? Ids);
