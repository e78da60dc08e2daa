using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Sankore.Identity;

namespace Sankore.Tests.Support;

/// <summary>The program as <c>./run</c> starts it: a process of its own.</summary>
public sealed class SankoreProcess : IAsyncDisposable
{
    private readonly StringBuilder _output = new();
    private readonly Process _process;

    private SankoreProcess(Process process, Uri address)
    {
        (_process, Address) = (process, address);
        _process.OutputDataReceived += (_, e) => Append(e.Data);
        _process.ErrorDataReceived += (_, e) => Append(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public Uri Address { get; }
    public string Output { get { lock (_output) { return _output.ToString(); } } }
    public int Id => _process.Id;

    /// <summary>A data folder that the embedded PostgreSQL's user may enter.</summary>
    public static string NewFolder()
    {
        var folder = Directory.CreateTempSubdirectory("sankore-run-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(
                folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
        }
        return folder;
    }

    /// <summary>Starts it, at an address of before or a new one; <see cref="Ready"/> waits until it serves.</summary>
    public static SankoreProcess Start(
        string data, string[] arguments, string? database = null, Uri? at = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var address = at ?? new Uri($"http://127.0.0.1:{FreePort()}");
        return new SankoreProcess(
            Process.Start(StartInfo([.. arguments, "--urls", address.ToString().TrimEnd('/'), "--data", data], database, environment))!,
            address);
    }

    /// <summary>Runs it to its end.</summary>
    /// <returns>Exit code, and everything it said.</returns>
    public static async Task<(int ExitCode, string Output)> Complete(string[] arguments, string? database = null)
    {
        await using var program = new SankoreProcess(Process.Start(StartInfo(arguments, database))!, new Uri("http://127.0.0.1"));
        return (await program._process.Ended(), program.Output);
    }

    public async Task Ready()
    {
        using var client = new HttpClient { BaseAddress = Address };
        await Waiting.Until(async () =>
        {
            _process.HasExited.ShouldBeFalse(Output);
            try
            {
                return (await client.GetAsync("/health/ready")).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, "the program serves", seconds: 180);
    }

    /// <summary>A client signed in with the demo password.</summary>
    public async Task<HttpClient> As(string email)
    {
        var client = new HttpClient { BaseAddress = Address };
        var answer = await client.PostAsJsonAsync("/api/auth/login", new { email, password = PasswordRules.Demo });
        var token = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("accessToken").GetString();
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        return client;
    }

    /// <summary>Sends a signal and waits for the end.</summary>
    public async Task<int> Signal(string signal)
    {
        await Programs.Signal(_process.Id, signal);
        return await _process.Ended();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await Signal("TERM");
        }
        _process.Dispose();
    }

    private static ProcessStartInfo StartInfo(string[] arguments, string? database, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = Programs.Net([Path.Combine(AppContext.BaseDirectory, "Sankore.dll"), .. arguments]);
        start.Environment["SANKORE_DATABASE"] = database ?? "";
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }
        return start;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Append(string? line)
    {
        lock (_output)
        {
            _output.AppendLine(line);
        }
    }
}
