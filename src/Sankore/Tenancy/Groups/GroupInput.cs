using Sankore.Platform.Jobs;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Tenancy;

/// <summary>What an administrator writes of a school group. What is left out has its default.</summary>
/// <param name="Code">In any spelling; taken from the name when left out.</param>
/// <param name="Country">ISO 3166-1, two letters.</param>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it.</param>
/// <param name="TimeZone">On whose clocks its days are, e.g. <c>Africa/Dakar</c> (IANA); Africa/Brazzaville if left out.</param>
public sealed record GroupInput(
    string? Name, string? Code, string? City, string? Country, string? ContactEmail, string? ContactPhone, string? Status, int? Version,
    string? TimeZone = null)
{
    /// <summary>The input in its one form. Refuses with VALIDATION_FAILED, CODE_INVALID.</summary>
    internal GroupInput Normalized()
    {
        var input = this with
        {
            Name = Name?.Trim(),
            Code = Inputs.Code(Code, Name),
            City = Texts.Blank(City),
            Country = Texts.Blank(Country)?.ToUpperInvariant() ?? "CG",
            ContactEmail = Addresses.Normalize(ContactEmail),
            ContactPhone = Texts.Blank(ContactPhone),
            Status = Status ?? "active",
            TimeZone = Texts.Blank(TimeZone) ?? Zones.Default,
        };
        new Validation()
            .Required("name", input.Name, 160).Optional("code", Code, 200).Optional("city", input.City, 120)
            .That("country", input.Country.Length == 2 && input.Country.All(char.IsAsciiLetterUpper), "country.invalid")
            .That("contactEmail", input.ContactEmail is null || Mail.IsAddress(input.ContactEmail), "EMAIL_INVALID")
            .Optional("contactPhone", input.ContactPhone, 40)
            .That("timeZone", Zones.Find(input.TimeZone) is not null)
            .OneOf("status", input.Status, ModuleInput.States).Check();
        return Inputs.IsCode(input.Code) ? input : throw Refusal.At("code", Reason.CodeInvalid);
    }
}

/// <summary>What an administrator writes of a school.</summary>
/// <param name="Code">In any spelling; taken from the name when left out.</param>
/// <param name="Level">See <see cref="Levels"/>; <c>secondary</c> if left out.</param>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it.</param>
public sealed record SchoolInput(string? Name, string? Code, string? Level, string? City, string? Status, int? Version)
{
    /// <summary>The levels of schools.</summary>
    public static readonly string[] Levels = ["preschool", "primary", "lower_secondary", "secondary", "technical", "higher"];

    /// <summary>The input in its one form. Refuses with VALIDATION_FAILED, CODE_INVALID.</summary>
    internal SchoolInput Normalized()
    {
        var input = this with
        {
            Name = Name?.Trim(),
            Code = Inputs.Code(Code, Name),
            Level = Texts.Blank(Level) ?? "secondary",
            City = Texts.Blank(City),
            Status = Status ?? "active",
        };
        new Validation().Required("name", input.Name, 160).Optional("code", Code, 200).OneOf("level", input.Level, Levels)
            .Optional("city", input.City, 120).OneOf("status", input.Status, ModuleInput.States).Check();
        return Inputs.IsCode(input.Code) ? input : throw Refusal.At("code", Reason.CodeInvalid);
    }
}
