using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>The data-protection key ring in the database, so that any node accepts any node's cookies and tokens.</summary>
public sealed class KeyRing(Db db) : IXmlRepository
{
    // The framework asks synchronously, at start and once a day.
    public IReadOnlyCollection<XElement> GetAllElements() =>
        [.. db.Read(Caller.Service, session =>
            session.Query<string>("select xml from auth.data_protection_keys order by created_at"), CancellationToken.None)
            .GetAwaiter().GetResult().Select(XElement.Parse)];

    public void StoreElement(XElement element, string friendlyName) =>
        db.Run(Caller.Service, session => session.Execute(
            "insert into auth.data_protection_keys (friendly_name, xml) values (@friendlyName, @xml)"
            + " on conflict (friendly_name) do update set xml = excluded.xml",
            new { friendlyName, xml = element.ToString(SaveOptions.DisableFormatting) }), CancellationToken.None).GetAwaiter().GetResult();
}
