using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Sankore.Client;
using Sankore.Identity;

namespace Sankore.Tests.Client;

/// <summary>The client library, and the sample made with it, against a server that is killed and started again.</summary>
[Collection(ProgramTests.Name)]
public sealed class RestartTests : IDisposable
{
    private readonly string _data = SankoreProcess.NewFolder();

    [Fact]
    public async Task A_server_that_is_killed_and_started_again_loses_nothing_and_repeats_nothing()
    {
        await using var first = SankoreProcess.Start(_data, ["--demo", "small"]);
        await first.Ready();
        using var http = new HttpClient { BaseAddress = first.Address };
        using var session = new SankoreSession(http, Cast.Super, PasswordRules.Demo);
        using var admin = await first.As(Cast.Super);
        var module = (await admin.GetFromJsonAsync<JsonElement>("/api/modules")).GetProperty("items")[0];
        await using var reader = FeedReader.Of(first.Address, session.Token);
        await reader.Gets(1);
        var names = Enumerable.Range(1, 30).Select(i => $"Nom {i}").ToList();
        foreach (var name in names[..20])
        {
            module = await Rename(admin, module, name);
        }
        // Some of them have come, and some have not.
        await first.Signal("KILL");

        await using var second = SankoreProcess.Start(_data, [], at: first.Address);
        await second.Ready();
        foreach (var name in names[20..])
        {
            module = await Rename(admin, module, name);
        }
        await reader.Hears(names[^1]);
        reader.NamesOf().ShouldEndIn([.. names]);
        reader.Losses.ShouldNotBeEmpty();
        reader.Positions.ShouldBeInOrder();
        (await second.Signal("INT")).ShouldBe(0, second.Output);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task The_sample_prints_what_changes_keeps_its_position_and_ends_quietly(string signal)
    {
        await using var world = new World();
        await world.InitializeAsync();
        var (module, cursor) = (await world.Included("premium"), Path.Combine(_data, "cursor"));
        foreach (var round in new[] { "premier", "second" })
        {
            using var sample = Sample(world.Address, cursor);
            if (round == "premier")
            {
                (await Line(sample)).ShouldBe($"{await world.Position()} RESET: read everything again within 0 s");
                await world.Rename(module, $"Pendant le {round}");
            }
            // The second goes on where the first stopped.
            var line = (await Line(sample)).ShouldNotBeNull();
            line.ShouldStartWith($"{await world.Position()} UPDATE tenancy.modules {module.Text("id")} {{");
            line.ShouldContain($"Pendant le {round}");
            await Programs.Signal(sample.Id, signal);
            (await sample.Ended()).ShouldBe(0);
            (await File.ReadAllTextAsync(cursor)).Trim().ShouldBe($"{await world.Position()}");
            await world.Rename(module, "Pendant le second");
        }
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private static async Task<string?> Line(Process sample)
    {
        try
        {
            return await sample.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(5));
        }
        catch (TimeoutException)
        {
            sample.Kill();
            throw;
        }
    }

    private static Process Sample(Uri address, string cursor)
    {
        var sample = Process.Start(Programs.Net(
            Path.Combine(AppContext.BaseDirectory, "Sankore.Client.Sample.dll"),
            "--url", address.ToString(), "--email", Cast.HeadOnPremium, "--password", PasswordRules.Demo, "--cursor", cursor))!;
        sample.BeginErrorReadLine();
        return sample;
    }

    private static Task<JsonElement> Rename(HttpClient admin, JsonElement module, string name) =>
        admin.Ask(HttpMethod.Put, $"/api/modules/{module.Id()}", module.With(("name", name))).Json();
}
