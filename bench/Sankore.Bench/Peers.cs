using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace Sankore.Bench;

/// <summary>A server that sends the same event to everybody who listens, in processes of its own.</summary>
internal abstract class Peer : IAsyncDisposable
{
    /// <summary>What the table calls it.</summary>
    public abstract string Name { get; }

    /// <summary>Where its streams are, and of what kind (<see cref="CrowdProcesses.Start"/>).</summary>
    public abstract (string Path, string Kind) Stream { get; }

    /// <summary>Its addresses; the clients are shared out over them.</summary>
    public IReadOnlyList<IPEndPoint> Addresses { get; protected set; } = [];

    /// <summary>Its processes, those of a database apart.</summary>
    public IReadOnlyList<int> Processes { get; protected set; } = [];

    /// <summary>CPU seconds of its database.</summary>
    public virtual double DatabaseCpuSeconds => 0;

    /// <summary>A bearer token for each client.</summary>
    public virtual Task<IReadOnlyList<string>> Tokens(int clients) =>
        Task.FromResult<IReadOnlyList<string>>([.. Enumerable.Repeat("", clients)]);

    /// <summary>Has everybody told. <paramref name="data"/>: JSON in one line, with the number behind a <c>#</c>.</summary>
    /// <returns>The moment before it was asked for.</returns>
    public abstract Task<long> Broadcast(int number, string data);

    public abstract ValueTask DisposeAsync();

    /// <summary>So many addresses that nobody listens at.</summary>
    protected static IReadOnlyList<IPEndPoint> Free(int count) =>
        [.. Enumerable.Range(Leftovers.FreePorts(count), count).Select(p => new IPEndPoint(IPAddress.Loopback, p))];

    /// <summary>Waits until all addresses take connections.</summary>
    protected async Task<Peer> Listening()
    {
        foreach (var address in Addresses)
        {
            for (var attempt = 0; ; attempt++)
            {
                using var client = new TcpClient();
                try
                {
                    await client.ConnectAsync(address);
                    break;
                }
                catch (SocketException) when (attempt < 100)
                {
                    await Task.Delay(100);
                }
            }
        }
        return this;
    }
}

/// <summary>A peer that is told by lines on standard input: the C program, SignalR.</summary>
internal sealed class LinePeer : Peer
{
    private readonly List<Process> _started = [];
    private string? _compiled;

    private LinePeer(string name, (string, string) stream) => (Name, Stream) = (name, stream);

    public override string Name { get; }

    public override (string Path, string Kind) Stream { get; }

    /// <summary><c>send()</c> in a loop, written in C; one process for each core at least.</summary>
    public static Task<Peer> Raw(int clients)
    {
        var program = Path.Combine(Path.GetTempPath(), $"sankore-raw-{Environment.ProcessId}");
        using (var compiler = Process.Start("cc", ["-O2", "-o", program, Path.Combine(AppContext.BaseDirectory, "peers", "raw.c")]))
        {
            compiler.WaitForExit();
            if (compiler.ExitCode != 0)
            {
                throw new IOException("cc failed");
            }
        }
        return new LinePeer("C, send() loop", ("/", "sse")) { _compiled = program }.Start(
            Math.Max(Environment.ProcessorCount, LiveBench.NodesFor(clients)), program);
    }

    /// <summary>SignalR over WebSocket.</summary>
    public static Task<Peer> SignalR(int clients) =>
        new LinePeer("SignalR, JSON", ("/hub", "signalr"))
            .Start(LiveBench.NodesFor(clients), "dotnet", Environment.GetCommandLineArgs()[0], "peer-signalr");

    public override async Task<long> Broadcast(int number, string data)
    {
        var asked = Stopwatch.GetTimestamp();
        await Task.WhenAll(_started.Select(async p =>
        {
            await p.StandardInput.WriteAsync(data + "\n");
            await p.StandardInput.FlushAsync();
        }));
        return asked;
    }

    public override ValueTask DisposeAsync() => Leftovers.Once(this, Stop);

    private async Task Stop()
    {
        foreach (var process in _started)
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        if (_compiled is not null)
        {
            File.Delete(_compiled);
        }
    }

    private Task<Peer> Start(int count, string program, params string[] arguments)
    {
        Leftovers.Add(this);
        Addresses = Free(count);
        foreach (var address in Addresses)
        {
            _started.Add(Process.Start(new ProcessStartInfo(
                program, [.. arguments, address.Port.ToString(CultureInfo.InvariantCulture)])
            { RedirectStandardInput = true })!);
        }
        Processes = [.. _started.Select(p => p.Id)];
        return Listening();
    }
}

/// <summary>nginx with nchan from the distribution: EventSource, told by POST.</summary>
internal sealed class NchanPeer : Peer
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sankore-nchan-").FullName;
    private readonly HttpClient _client = new();
    private readonly int _port = Leftovers.FreePorts(2);
    private Process _nginx = null!;

    public override string Name => "nginx + nchan";

    public override (string Path, string Kind) Stream => ("/sub", "sse");

    public static async Task<Peer> Start(int clients)
    {
        var peer = new NchanPeer();
        Leftovers.Add(peer);
        var workers = Math.Max(Environment.ProcessorCount, LiveBench.NodesFor(clients));
        var file = Path.Combine(peer._folder, "nginx.conf");
        await File.WriteAllTextAsync(file, peer.Configuration(workers));
        try
        {
            peer._nginx = Process.Start(
                new ProcessStartInfo("nginx", ["-p", peer._folder, "-c", file, "-e", Path.Combine(peer._folder, "error.log")]))!;
        }
        catch (Win32Exception)
        {
            await peer.DisposeAsync();
            throw;
        }
        peer.Addresses = [new IPEndPoint(IPAddress.Loopback, peer._port)];
        await peer.Listening();
        await Task.Delay(500);
        peer.Processes = [peer._nginx.Id, .. Proc.Children(peer._nginx.Id)];
        return peer;
    }

    public override async Task<long> Broadcast(int number, string data)
    {
        using var content = new StringContent(data, Encoding.UTF8);
        var asked = Stopwatch.GetTimestamp();
        using var answer = await _client.PostAsync(new Uri($"http://127.0.0.1:{_port + 1}/pub"), content);
        answer.EnsureSuccessStatusCode();
        return asked;
    }

    public override ValueTask DisposeAsync() => Leftovers.Once(this, Stop);

    private async Task Stop()
    {
        _client.Dispose();
        if (_nginx is not null)
        {
            using var quit = Process.Start("kill", ["-TERM", _nginx.Id.ToString(CultureInfo.InvariantCulture)]);
            await _nginx.WaitForExitAsync();
            _nginx.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
    }

    // "reuseport" shares the connections out evenly; "user root": the bench may run as root in a folder that only root enters.
    private string Configuration(int workers) => $$"""
        load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
        daemon off;
        {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
        worker_processes {{workers}};
        worker_rlimit_nofile 20000;
        pid {{_folder}}/nginx.pid;
        events { worker_connections 19900; multi_accept on; }
        http {
          access_log off;
          nchan_shared_memory_size 512M;
          client_body_temp_path {{_folder}}/body;
          proxy_temp_path {{_folder}}/proxy;
          fastcgi_temp_path {{_folder}}/fastcgi;
          uwsgi_temp_path {{_folder}}/uwsgi;
          scgi_temp_path {{_folder}}/scgi;
          server {
            listen 127.0.0.1:{{_port}} backlog=4096 reuseport;
            location /sub { nchan_subscriber eventsource; nchan_channel_id all; nchan_subscriber_first_message newest; }
          }
          server {
            listen 127.0.0.1:{{_port + 1}};
            location /pub { nchan_publisher; nchan_channel_id all; nchan_message_timeout 1m; }
          }
        }
        """;
}

/// <summary>The program itself, told by a change in its database.</summary>
internal sealed class SankorePeer : Peer
{
    // A person's rights are read once: what is compared is the streams.
    private const int People = 600;

    private readonly Network _network;
    private readonly NpgsqlConnection _database;

    private SankorePeer(Network network) => (_network, _database, Addresses, Processes) =
        (network, new NpgsqlConnection(network.Admin), network.Addresses, [.. network.Nodes.Select(n => n.Id)]);

    public override string Name => "Sankoré";

    public override (string Path, string Kind) Stream => ("/live", "live");

    public override double DatabaseCpuSeconds => _network.PostgresCpuSeconds;

    public static async Task<Peer> Start(int clients)
    {
        var peer = new SankorePeer(await Network.Start(People, LiveBench.NodesFor(clients), modules: 0));
        await peer._database.OpenAsync();
        return peer;
    }

    public override Task<IReadOnlyList<string>> Tokens(int clients) => _network.Tokens(clients, People);

    public override Task<long> Broadcast(int number, string data) => LiveBench.Commit(_database, LiveBench.RenameSql, number);

    public override async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        await _network.DisposeAsync();
    }
}
