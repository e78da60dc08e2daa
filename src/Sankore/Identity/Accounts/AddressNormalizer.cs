using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Mail;

namespace Sankore.Identity;

/// <summary>Accounts are found by the key of their address (<see cref="Addresses.Key"/>).</summary>
public sealed class AddressNormalizer : ILookupNormalizer
{
    public string? NormalizeName(string? name) => NormalizeEmail(name);

    public string? NormalizeEmail(string? email) => email is null ? null : Addresses.Key(email);
}
