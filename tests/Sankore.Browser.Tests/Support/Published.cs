using System.Diagnostics;

namespace Sankore.Browser.Tests.Support;

/// <summary>
/// The program as <c>./run</c> publishes and starts it, on the demo network: its files compressed and named by their content.
/// </summary>
public sealed class Published : IAsyncLifetime
{
    private readonly World _world = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("sankore-published-").FullName;
    private Process? _program;

    /// <summary>Where it serves.</summary>
    public Uri Address { get; private set; } = default!;

    public async ValueTask InitializeAsync()
    {
        await _world.InitializeAsync();
        var configuration = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}release", StringComparison.Ordinal) ? "Release"
            : "Debug";
        using (var publish = Start(
            ["publish", Repository.Source, "--configuration", configuration, "--no-build", "--output", Path.Combine(_folder, "program"),
            "-nologo", "--verbosity", "quiet"]))
        {
            var said = await publish.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(5));
            (await publish.Ended()).ShouldBe(0, said);
        }
        Address = FreeAddress();
        _program = Start(
            [Path.Combine(_folder, "program", "Sankore.dll"), "--urls", Address.ToString().TrimEnd('/'), "--data",
            Path.Combine(_folder, "data")]);
        using var client = new HttpClient { BaseAddress = Address };
        await Waiting.Until(async () =>
        {
            _program.HasExited.ShouldBeFalse();
            try
            {
                return (await client.GetAsync("/health/ready")).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, "the published program serves", seconds: 60);
    }

    public async ValueTask DisposeAsync()
    {
        if (_program is not null)
        {
            _program.Kill();
            await _program.Ended();
            _program.Dispose();
        }
        await _world.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private Process Start(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true };
        start.Environment["SANKORE_DATABASE"] = _world.AdminConnection;
        return Process.Start(start)!;
    }

    private static Uri FreeAddress()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return new Uri($"http://{listener.LocalEndpoint}");
    }
}
