using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace Sankore.Bench;

/// <summary>The program itself, in a process of its own with a data folder of its own, so that its CPU and memory are its own.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly ProcessStartInfo _start;
    private readonly string _data;
    private Process _process;

    private ServerProcess(ProcessStartInfo start, string data, Uri address)
    {
        (_start, _data, Address) = (start, data, address);
        _process = Launch();
        Leftovers.Add(this);
    }

    public Uri Address { get; }

    /// <summary>The process's number.</summary>
    public int Id => _process.Id;

    /// <summary>The embedded cluster's administrator.</summary>
    public string AdminConnection => $"Host={Path.Combine(_data, "postgres", "socket")};Username=sankore_admin;Database=sankore";

    /// <summary>CPU seconds used so far.</summary>
    public double CpuSeconds => Proc.Cpu(_process.Id);

    /// <summary>CPU seconds that its own cluster has used so far.</summary>
    public double PostgresCpuSeconds => Proc.CpuOfFamily(
        int.Parse(File.ReadLines(Path.Combine(_data, "postgres", "cluster", "postmaster.pid")).First(), CultureInfo.InvariantCulture));

    /// <summary>Resident memory in bytes.</summary>
    public long ResidentBytes => Proc.Resident(_process.Id);

    /// <summary>Starts the program and waits until it is ready.</summary>
    /// <param name="demo">The demo network that an empty database is filled with.</param>
    /// <param name="database">The administrator's connection string of a cluster that runs; null: the program has one of its own.</param>
    /// <param name="environment">Settings of the run's own.</param>
    public static async Task<ServerProcess> Start(
        string demo, string? database = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var data = Directory.CreateTempSubdirectory("sankore-bench-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(
                data,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }
        var address = new Uri($"http://127.0.0.1:{Leftovers.FreePorts(1)}");
        var start = new ProcessStartInfo(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Sankore.dll"), "--urls", address.ToString().TrimEnd('/'), "--data", data, "--demo",
            demo])
        { RedirectStandardOutput = true };
        start.Environment["Sankore__SignIn__PerAddressPerMinute"] = "1000000";
        start.Environment["SANKORE_DATABASE"] = database ?? "";
        start.Environment["Logging__LogLevel__Default"] = start.Environment["Logging__LogLevel__Sankore"] = "Error";
        start.Environment["Logging__Console__FormatterName"] = "json";
        // Its entries of the log would be heard by operators among the clients, and counted.
        start.Environment["Sankore__Live__ReportEvery"] = "0";
        // One person may stand for many clients, and one address for all.
        start.Environment["Sankore__Live__PerPerson"] = start.Environment["Sankore__Live__PerAddress"] = "1000000";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        var server = new ServerProcess(start, data, address);
        await server.Ready();
        return server;
    }

    /// <summary>Kills the program without a word, and starts it again at the same address.</summary>
    public async Task KillAndRestart()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = Launch();
        await Ready();
    }

    /// <summary>A bearer token of a demo account.</summary>
    public async Task<string> Token(string email)
    {
        using var client = new HttpClient { BaseAddress = Address };
        var answer = await client.PostAsJsonAsync("/api/auth/login", new { email, password = "sankore-demo" });
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("accessToken").GetString()!;
    }

    public ValueTask DisposeAsync() => Leftovers.Once(this, Stop);

    private Process Launch()
    {
        var process = Process.Start(_start)!;
        // A server that says that something of its own failed is no result.
        process.OutputDataReceived += (_, said) => Complain(said.Data);
        process.BeginOutputReadLine();
        return process;
    }

    private static void Complain(string? line)
    {
        if (line?.StartsWith('{') == true)
        {
            Console.Error.WriteLine(line);
        }
    }

    private async Task Ready()
    {
        using var client = new HttpClient { BaseAddress = Address };
        for (var i = 0; i < 600; i++)
        {
            try
            {
                if ((await client.GetAsync(new Uri("/health/ready", UriKind.Relative))).IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
            await Task.Delay(100);
        }
        throw new TimeoutException("the server did not start");
    }

    private async Task Stop()
    {
        using (var terminate = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await terminate.WaitForExitAsync();
        }
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_data, recursive: true);
    }
}
