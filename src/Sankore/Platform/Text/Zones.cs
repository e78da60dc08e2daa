namespace Sankore.Platform.Text;

/// <summary>Time zones by their IANA names.</summary>
public static class Zones
{
    /// <summary>Where nobody says another.</summary>
    public const string Default = "Africa/Brazzaville";

    /// <summary>The time zones that are offered: where the platform's people are, and Europe.</summary>
    public static readonly string[] Offered =
    [
        Default, "Africa/Kinshasa", "Africa/Douala", "Africa/Libreville", "Africa/Bangui", "Africa/Ndjamena", "Africa/Malabo",
        "Africa/Luanda", "Africa/Lagos", "Africa/Porto-Novo", "Africa/Niamey",
        "Africa/Abidjan", "Africa/Dakar", "Africa/Bamako", "Africa/Ouagadougou", "Africa/Lome", "Africa/Conakry", "Africa/Nouakchott",
        "Africa/Lubumbashi", "Africa/Kigali", "Africa/Bujumbura", "Africa/Djibouti",
        "Indian/Antananarivo", "Indian/Comoro", "Africa/Casablanca", "Africa/Algiers", "Africa/Tunis", "Europe/Paris", "Europe/London",
        "UTC",
    ];

    /// <summary>The zone; null for what is none. Only IANA's names count, because the database knows no others.</summary>
    public static TimeZoneInfo? Find(string? name) =>
        name is { Length: > 0 and <= 60 } && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) && zone.HasIanaId ? zone : null;
}
