using System.Net.Http.Json;
using System.Text.Json;

namespace Sankore.Tests.Live;

/// <summary>The headline (document 000): an administrator saves a module, and whoever may see it is told.</summary>
public sealed class HeadlineTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task Renaming_a_module_tells_those_whose_plan_includes_it_and_nobody_else()
    {
        using var admin = await world.As(Cast.Super);
        var module = await Module(admin, "caisse-et-depenses");
        await using var included = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnPremium));
        await using var excluded = await LiveClient.Open(world.Address, await world.Token(Cast.HeadOnGratuit));
        await using var everything = await LiveClient.Open(world.Address, await world.Token(Cast.Super));

        await Put(admin, module, "name", "Caisse centrale");

        (await included.Next(e => e.Type == "change", "the head whose plan has it is told")).Row.GetProperty("name").GetString()
            .ShouldBe("Caisse centrale");
        (await everything.Next(e => e.Type == "change", "the administrator is told")).Row.GetProperty("planIds").GetArrayLength()
            .ShouldBe(2);
        // A change that the third may see comes after it: what came before must have been all there was.
        await Put(admin, await Module(admin, "gestion-inscriptions"), "name", "Inscriptions");
        await excluded.Next(e => e.Type == "change", "the third is told of what is theirs");
        excluded.Events.Count.ShouldBe(1);
        excluded.Events[0].Row.GetProperty("name").GetString().ShouldBe("Inscriptions");
    }

    private static async Task<JsonElement> Module(HttpClient client, string code) =>
        (await client.GetFromJsonAsync<JsonElement>($"/api/modules?q={code}")).GetProperty("items")[0];

    private static async Task Put(HttpClient client, JsonElement module, string field, string value)
    {
        var body = module.EnumerateObject().ToDictionary(p => p.Name, p => (object?)p.Value);
        body[field] = value;
        (await client.PutAsJsonAsync($"/api/modules/{module.GetProperty("id").GetString()}", body)).EnsureSuccessStatusCode();
    }
}
