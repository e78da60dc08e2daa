using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Tenancy;

/// <summary>Somebody's place in a group.</summary>
/// <param name="UserId">Null for an invitation that somebody with an account has not accepted yet.</param>
/// <param name="Role">See <see cref="Memberships"/>.</param>
/// <param name="ExpiresAt">When the place ends.</param>
/// <param name="IsInvited">Whether the person has not come yet: there is an invitation, which may be over.</param>
/// <param name="InvitationEndsAt">Until when it can be accepted; it can be sent again.</param>
/// <param name="AvatarUrl">Where the person's photo is loaded from.</param>
public sealed record StaffMember(
    Guid? MembershipId, Guid? UserId, string Name, string Email, Guid? SchoolId, string? School, string Role, string Status,
    DateTime? ExpiresAt, bool IsInvited, int Version, Guid? InvitationId = null, DateTime? InvitationEndsAt = null,
    string? AvatarUrl = null);

/// <summary>Whom to invite to which place.</summary>
/// <param name="SchoolId">The school; none for a group administrator.</param>
public sealed record StaffInput(string? Email, string? Name, string? Role, Guid? SchoolId, string? Phone)
{
    /// <summary>The input in its one form. Refuses with VALIDATION_FAILED.</summary>
    internal StaffInput Normalized()
    {
        var input = this with { Email = Addresses.Normalize(Email), Name = Name?.Trim(), Phone = Texts.Blank(Phone) };
        new Validation().That("email", Mail.IsAddress(input.Email), "EMAIL_INVALID").Required("name", input.Name, 120)
            .OneOf("role", Role, Memberships.Roles)
            .That("schoolId", (Role == "group_admin") == (SchoolId is null), Role == "group_admin" ? "school.none" : "field.required")
            .Optional("phone", input.Phone, 40).Check();
        return input;
    }
}

/// <summary>A change of somebody's place. What is left out stays; an end is taken away by <paramref name="Endless"/>.</summary>
/// <param name="Status"><c>active</c> or <c>inactive</c>.</param>
/// <param name="Version">The version that the change is based on, unless <c>If-Match</c> says it.</param>
public sealed record MembershipInput(string? Role, Guid? SchoolId, string? Status, Moment? ExpiresAt, bool? Endless, int? Version);

/// <summary>What of a group's staff is asked for.</summary>
public sealed record StaffFilter
{
    public string? Role { get; init; }

    public Guid? School { get; init; }
}

/// <summary>What became of people who were admitted.</summary>
/// <param name="Created">Accounts made, with their places.</param>
/// <param name="Placed">Places for people of the group.</param>
/// <param name="Invited">Invitations to people who have an account of their own and must accept.</param>
/// <param name="Unchanged">Places that they had.</param>
public sealed record Admission(int Created, int Placed, int Invited, int Unchanged);
