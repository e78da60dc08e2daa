using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Sankore.Tests.Platform;

/// <summary>The first of the README's two commands, as a process with an embedded cluster of its own.</summary>
[Collection(ProgramTests.Name)]
public sealed partial class RunTests : IDisposable
{
    private readonly string _data = SankoreProcess.NewFolder();

    [Fact]
    public async Task Started_again_after_a_kill_it_recovers_and_keeps_its_data()
    {
        Guid id;
        await using (var first = SankoreProcess.Start(_data, ["--demo", "small"]))
        {
            await first.Ready();
            await Waiting.Until(
                () => first.Output.Contains("super@sankore.test", StringComparison.Ordinal), "the demo accounts are printed");
            using var admin = await first.As(Cast.Super);
            id = await Create(admin, "Avant la panne");
            await first.Signal("KILL");
        }

        await using var second = SankoreProcess.Start(_data, []);
        await second.Ready();
        second.Output.ShouldContain("taking over the PostgreSQL that is already running");
        using var again = await second.As(Cast.Super);
        (await again.GetFromJsonAsync<JsonElement>($"/api/modules/{id}")).GetProperty("name").GetString().ShouldBe("Avant la panne");

        (await second.Signal("INT")).ShouldBe(0, second.Output);
        File.Exists(Path.Combine(_data, "postgres", "cluster", "postmaster.pid")).ShouldBeFalse("both are stopped");
    }

    [Fact]
    public async Task After_a_kill_of_the_database_too_the_next_start_recovers()
    {
        Guid id;
        await using (var first = SankoreProcess.Start(_data, ["--demo", "small"]))
        {
            await first.Ready();
            using var admin = await first.As(Cast.Super);
            id = await Create(admin, "Avant la grande panne");
            var postmaster = (await File.ReadAllLinesAsync(Path.Combine(_data, "postgres", "cluster", "postmaster.pid")))[0];
            await Programs.Signal(int.Parse(postmaster, System.Globalization.CultureInfo.InvariantCulture), "KILL");
            await first.Signal("KILL");
        }

        await using var second = SankoreProcess.Start(_data, []);
        await second.Ready();
        using var again = await second.As(Cast.Super);
        (await again.GetFromJsonAsync<JsonElement>($"/api/modules/{id}")).GetProperty("name").GetString().ShouldBe("Avant la grande panne");
    }

    [Fact]
    public async Task Without_demo_data_it_prints_a_one_time_administrator_link_and_invites_others()
    {
        await using var program = SankoreProcess.Start(_data, ["--demo", "none"]);
        await program.Ready();
        await Waiting.Until(() => SetUpLink().IsMatch(program.Output), "the link is printed");
        program.Output.ShouldNotContain("sankore-demo");
        using var client = new HttpClient { BaseAddress = program.Address };
        (await client.GetStringAsync(new Uri(SetUpLink().Match(program.Output).Value))).ShouldContain("name=\"Form.Password\"");

        var (exitCode, output) = await SankoreProcess.Complete(
            ["admin", "invite", "awa@example.org", "--data", _data, "--urls", program.Address.ToString().TrimEnd('/')]);

        exitCode.ShouldBe(0, output);
        (await client.GetStringAsync(new Uri(SetUpLink().Match(output).Value))).ShouldContain("awa@example.org");
        await Waiting.Until(
            () => Directory.GetFiles(Path.Combine(_data, "outbox"), "*.eml").Length == 1, "the invitation is in the outbox");
    }

    [Fact]
    public async Task A_second_server_on_the_same_folder_is_refused_and_does_no_harm()
    {
        await using var first = SankoreProcess.Start(_data, ["--demo", "none"]);
        await first.Ready();

        var (exitCode, output) = await SankoreProcess.Complete(["--data", _data, "--urls", "http://127.0.0.1:1"]);

        exitCode.ShouldBe(1);
        output.Trim().ShouldStartWith("sankore: Another Sankoré is running on");
        output.Trim().Split('\n').Length.ShouldBe(1);
        await first.Ready();
    }

    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Username=postgres", "cannot be reached")]
    [InlineData("Host=/nowhere;Username=postgres", "cannot be reached")]
    [InlineData("this is no connection string", "is not a connection string")]
    public async Task A_database_that_is_not_there_is_one_sentence_that_says_what_to_do(string database, string sentence)
    {
        var (exitCode, output) = await SankoreProcess.Complete(["--data", _data], database);

        exitCode.ShouldBe(1);
        output.ShouldContain(sentence);
        output.Trim().Split('\n').Length.ShouldBe(1, output);
        Directory.Exists(Path.Combine(_data, "postgres")).ShouldBeFalse("the embedded one is not touched");
    }

    [Fact]
    public async Task An_address_in_use_is_one_sentence_that_says_what_to_do()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();

        var (exitCode, output) =
            await SankoreProcess.Complete(["--data", _data, "--demo", "none", "--urls", $"http://{listener.LocalEndpoint}"]);

        exitCode.ShouldBe(1);
        output.Trim().Split('\n')[^1].ShouldContain("is in use: stop what listens there, or choose another address with --urls");
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private static async Task<Guid> Create(HttpClient admin, string name)
    {
        var categories = await admin.GetFromJsonAsync<JsonElement>("/api/categories");
        var answer = await admin.PostAsJsonAsync(
            "/api/modules", new { name, categoryId = categories.GetProperty("items")[0].GetProperty("id").GetGuid() });
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    /// <summary>A folder that PostgreSQL's user can enter, whoever that is.</summary>
    [GeneratedRegex(@"http://\S+/setup\?token=\w+")]
    private static partial Regex SetUpLink();
}
