using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>The data-protection key ring in the database, so that any node accepts any node's cookies and tokens.</summary>
public sealed class KeyRing(Db db) : IXmlRepository
{
    // The framework asks synchronously: at start, once a day, and when a node is shown what a key of another node has signed.
    public IReadOnlyCollection<XElement> GetAllElements() =>
        [.. db.QuerySync<string>(Caller.Service, "select xml from auth.data_protection_keys order by created_at").Select(XElement.Parse)];

    public void StoreElement(XElement element, string friendlyName) =>
        db.QuerySync<string>(
            Caller.Service,
            "insert into auth.data_protection_keys (friendly_name, xml) values (@friendlyName, @xml)"
            + " on conflict (friendly_name) do update set xml = excluded.xml returning friendly_name",
            new { friendlyName, xml = element.ToString(SaveOptions.DisableFormatting) });
}
