using System.Text.Json;

namespace Sankore.Tests.Tenancy;

/// <summary>A person's menu as a client keeps it: read once, then changed by what the stream says.</summary>
public sealed class MenuModel(HttpClient client)
{
    private sealed record Entry(string Code, string Name, string Icon, Guid CategoryId, string Category);

    private Dictionary<Guid, Entry> _entries = [];

    /// <summary>Reads the menu anew.</summary>
    public async Task Read() => _entries = (await client.Ask("/api/me/menu"))
        .Items.ToDictionary(m => m.GetProperty("id").GetGuid(), m => Of(m, m.GetProperty("category").GetProperty("id").GetGuid()));

    /// <summary>Applies an event.</summary>
    public async Task Apply(LiveEvent e)
    {
        if (e.Type == "reset")
        {
            await Read();
        }
        else if (e.Table == "tenancy.modules" && e.Op == "DELETE")
        {
            _entries.Remove(e.RowId);
        }
        else if (e.Table == "tenancy.modules")
        {
            _entries[e.RowId] = Of(e.Row, e.Row.GetProperty("categoryId").GetGuid());
        }
        else if (e.Table == "tenancy.business_categories" && e.Op != "DELETE")
        {
            foreach (var (id, entry) in _entries.Where(m => m.Value.CategoryId == e.RowId).ToList())
            {
                _entries[id] = entry with { Category = e.Row.GetProperty("name").GetString()! };
            }
        }
    }

    /// <summary>The entries as text, in a fixed order.</summary>
    public IEnumerable<string> Lines() => _entries.OrderBy(e => e.Key).Select(e => $"{e.Key} {e.Value}");

    private static Entry Of(JsonElement module, Guid category) => new(
        module.GetProperty("code").GetString()!, module.GetProperty("name").GetString()!, module.GetProperty("icon").GetString()!, category,
        module.GetProperty("category").GetProperty("name").GetString()!);
}
