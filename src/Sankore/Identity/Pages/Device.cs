namespace Sankore.Identity;

/// <summary>What people call what they sign in with.</summary>
internal static class Device
{
    private static readonly (string Sign, string Name)[] Browsers =
    [
        ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];

    private static readonly (string Sign, string Name)[] Systems =
    [
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"),
    ];

    /// <summary>« Chrome · Android », of what a browser calls itself; null when it says neither.</summary>
    public static string? Of(string agent)
    {
        var names = new[] { First(agent, Browsers), First(agent, Systems) }.OfType<string>().ToList();
        return names.Count == 0 ? null : string.Join(" · ", names);
    }

    private static string? First(string agent, (string Sign, string Name)[] known) =>
        known.Where(k => agent.Contains(k.Sign, StringComparison.Ordinal)).Select(k => k.Name).FirstOrDefault();
}
