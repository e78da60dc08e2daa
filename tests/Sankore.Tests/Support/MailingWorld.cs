namespace Sankore.Tests.Support;

/// <summary>A server of one's own that sends through a mail server.</summary>
public sealed class MailingWorld(int port, string? key, bool demo) : World
{
    protected override bool Demo => demo;

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["Sankore:Mail:From"] = "Sankoré <no-reply@sankore.test>",
        ["Sankore:Mail:Smtp:Host"] = "127.0.0.1",
        ["Sankore:Mail:Smtp:Port"] = port.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ["Sankore:Mail:Smtp:Security"] = "none",
        ["Sankore:Mail:Dkim:Domain"] = key is null ? null : "sankore.test",
        ["Sankore:Mail:Dkim:Selector"] = key is null ? null : "mail",
        ["Sankore:Mail:Dkim:KeyFile"] = key,
    };

    /// <summary>Starts one.</summary>
    /// <param name="port">The server's.</param>
    /// <param name="key">The file of the key that signs; null: nothing is signed.</param>
    /// <param name="demo">With the small demo network, or empty.</param>
    public static async Task<MailingWorld> Start(int port, string? key = null, bool demo = true)
    {
        var world = new MailingWorld(port, key, demo);
        await world.InitializeAsync();
        return world;
    }
}
