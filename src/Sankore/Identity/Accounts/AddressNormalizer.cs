using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Mail;

namespace Sankore.Identity;

/// <summary>Accounts are found by the key of their address (<see cref="AddressKey"/>).</summary>
public sealed class AddressNormalizer : ILookupNormalizer
{
    private const string OthersSql = """
        select id, email, normalized_email from auth.users where normalized_email ~ '[^ -~]' or normalized_email like '%XN--%'
        """;

    private const string UpdateSql = """
        update auth.users set normalized_email = @key
        where id = @Id and not exists (select from auth.users where normalized_email = @key)
        """;

    private sealed record Row(Guid Id, string Email, string NormalizedEmail);

    public string? NormalizeName(string? name) => NormalizeEmail(name);

    public string? NormalizeEmail(string? email) => email is null ? null : AddressKey.Of(email);

    /// <summary>
    /// Accounts of earlier versions whose address has another form get the key; where two turn out to be one address, both stay as they
    /// are.
    /// </summary>
    internal static async Task Repair(Session server)
    {
        foreach (var row in (await server.Query<Row>(OthersSql)).Where(r => AddressKey.Of(r.Email) != r.NormalizedEmail))
        {
            await server.Execute(UpdateSql, new { row.Id, key = AddressKey.Of(row.Email) });
        }
    }
}
