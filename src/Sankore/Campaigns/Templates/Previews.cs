using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Localization;
using Sankore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>What is looked at before it is sent.</summary>
/// <param name="ContactId">One of the caller's contacts to fill it in for; null: somebody made up.</param>
/// <param name="Design">What the content is made of; null: <paramref name="Content"/> is it.</param>
/// <param name="Dark">Whether it is looked at as on a dark screen.</param>
public sealed record PreviewInput(string? Subject, string? Content, Guid? ContactId, MessageDesign? Design = null, bool Dark = false);

/// <summary>Messages as one recipient would get them.</summary>
public sealed partial class Previews(
    Db db, Contacts contacts, Profiles profiles, AppAddress address, IStringLocalizer<Strings> words)
{
    private const int OfferedContacts = 50;

    /// <summary>Whom a preview is offered for: the caller's latest contacts, by their ids.</summary>
    internal async Task<IReadOnlyList<(string Id, string Name)>> Contacts(Caller caller, CancellationToken ct)
    {
        var newestFirst = new ListQuery { Size = OfferedContacts, Sort = "-createdAt" };
        var latest = await contacts.List(caller, newestFirst, new ContactFilter(), ct);
        return [.. latest.Items.Select(c => (c.Id.ToString(), c.Name is null ? c.Email : $"{c.Name} ({c.Email})"))];
    }

    /// <summary>A message filled in. Refuses with VALIDATION_FAILED, and with NOT_FOUND for a contact that is not the caller's.</summary>
    public async Task<FilledMessage> Fill(Caller caller, PreviewInput input, CancellationToken ct)
    {
        if (input.Design?.Normalized() is { } design)
        {
            var place = await db.Read(caller, SenderPlaces.Own, ct);
            // A message without a subject yet is looked at all the same.
            var subject = string.IsNullOrWhiteSpace(input.Subject) ? "—" : input.Subject;
            input = input with { Subject = subject, Content = DesignMail.Html(design, subject, place, words) };
        }
        new Validation().Message(input.Subject, input.Content).Check();
        var contact = input.ContactId is { } id ? await contacts.Find(caller, id, ct) : null;
        var sender = await profiles.Own(caller, ct);
        var (email, name, organization) = contact is null
            ? ("amina@exemple.cg", words["preview.name"].Value, words["preview.organization"].Value)
            : (contact.Email, contact.Name, contact.OrganizationName);
        // The link is the recipient's own: here it leads nowhere.
        var values = new MergeValues(
            email, name, organization, words["preview.campaign"], sender.DisplayName, address.Link("/u/exemple").ToString(),
            contact is null ? "+242 06 612 34 56" : contact.Phone,
            contact is null ? await Examples(caller, ct) : FieldValues.Words(contact.Fields, CultureInfo.CurrentUICulture));
        var filled = MessageText.Of(input.Subject!, input.Content!, words).Fill(values);
        return filled with { Html = DarkRule().Replace(DesignMail.Marked(filled.Html), input.Dark ? "@media all" : "@media not all") };
    }

    /// <summary>What fields may say, where nobody is chosen.</summary>
    private async Task<Dictionary<string, string>> Examples(Caller caller, CancellationToken ct) =>
        (await db.Read(caller, ContactFields.All, ct)).ToDictionary(f => f.Key, f => f.Example.Length > 0 && f.Read(f.Example) is { } value
            ? FieldValues.Word(JsonSerializer.SerializeToElement(value), CultureInfo.CurrentUICulture) : $"[{f.Label}]");

    // What a message says of dark screens holds for the screen that is asked for, whatever the reader's own is.
    [GeneratedRegex(@"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)", RegexOptions.IgnoreCase)]
    private static partial Regex DarkRule();
}
