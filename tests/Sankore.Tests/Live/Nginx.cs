using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Sankore.Tests.Live;

/// <summary>An nginx in front of some nodes, as docs/scaling.md says; what it passes to can be changed while it runs.</summary>
public sealed class Nginx : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sankore-nginx-").FullName;
    private readonly Process _process;

    /// <summary>Starts it.</summary>
    public Nginx(IEnumerable<IPEndPoint> nodes)
    {
        Write(nodes);
        _process = Process.Start(
            new ProcessStartInfo(Program, ["-p", _folder, "-e", "error.log", "-c", "nginx.conf"]) { RedirectStandardError = true })!;
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; } = FreeAddress();

    private static string Program =>
        ((string[])["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"]).FirstOrDefault(File.Exists) ?? "nginx";

    /// <summary>Passes to other nodes from now on; who is connected is cut off a second later, and comes back to one of these.</summary>
    public async Task PassTo(IEnumerable<IPEndPoint> nodes)
    {
        Write(nodes);
        await Programs.Signal(_process.Id, "HUP");
    }

    public async ValueTask DisposeAsync()
    {
        await Programs.Signal(_process.Id, "TERM");
        await _process.Ended();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Write(IEnumerable<IPEndPoint> nodes) => File.WriteAllText(Path.Combine(_folder, "nginx.conf"), $$"""
        daemon off;
        {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
        pid nginx.pid;
        worker_processes 1;
        worker_shutdown_timeout 1s;
        events { worker_connections 9000; }
        http {
          access_log off;
          client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
          upstream sankore { {{string.Join(' ', nodes.Select(n => $"server {n} max_fails=1 fail_timeout=1s;"))}} }
          server {
            listen {{Address}} backlog=4096;
            location / { proxy_pass http://sankore; proxy_set_header Host $host; }
            location /live {
              proxy_pass http://sankore;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
              proxy_set_header Host $host;
              proxy_buffering off;
              proxy_read_timeout 1h;
            }
          }
        }
        """);

    private static IPEndPoint FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }
}
