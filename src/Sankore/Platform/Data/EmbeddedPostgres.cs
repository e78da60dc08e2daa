using System.Diagnostics;

namespace Sankore.Platform.Data;

/// <summary>
/// A PostgreSQL cluster of the program's own in a folder: reached through a socket that only its user (and root) can open, on no TCP port.
/// As root, which PostgreSQL refuses, it runs as another user. One that a killed program left running is taken over.
/// </summary>
public sealed class EmbeddedPostgres : IAsyncDisposable
{
    private const string Superuser = "sankore_admin";
    private const string Throwaway = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nautovacuum = off\njit = off";

    private readonly string _root;
    private readonly string _bin;
    private readonly string? _user;
    private bool _started;

    private EmbeddedPostgres(string root, string bin, string? user) => (_root, _bin, _user) = (root, bin, user);

    private string Cluster => Path.Combine(_root, "cluster");

    /// <summary>The socket's folder: beside the cluster, or under the temporary folder where that path is too long for a socket.</summary>
    private string Sockets => Path.Combine(_root, "socket") is { Length: <= 85 } near
        ? near
        : Path.Combine(
            Path.GetTempPath(), "sankore-"
            + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(_root)))[..16]);

    /// <summary>The administrator's connection string; <c>Database</c> is left open.</summary>
    public string ConnectionString => $"Host={Sockets};Username={Superuser}";

    /// <summary>Starts the cluster under <paramref name="root"/>, making it first if it is not there.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="throwaway">For tests: no durability, faster.</param>
    /// <param name="say">Told what is being done.</param>
    /// <param name="ct">Gives up waiting.</param>
    /// <exception cref="OperatorException">PostgreSQL is not installed, or does not start.</exception>
    public static async Task<EmbeddedPostgres> Start(string root, bool throwaway, Action<string> say, CancellationToken ct)
    {
        var postgres =
            new EmbeddedPostgres(Path.GetFullPath(root), FindBinaries(), Environment.IsPrivilegedProcess ? await OtherUser(ct) : null);
        postgres.MakeFolders();
        if (!File.Exists(Path.Combine(postgres.Cluster, "PG_VERSION")))
        {
            say("creating a PostgreSQL cluster");
            await postgres.Run(
                "initdb", ct, "-D", postgres.Cluster, "-U", Superuser, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
                "--no-instructions");
            await File.AppendAllTextAsync(Path.Combine(postgres.Cluster, "postgresql.conf"), Configuration(throwaway), ct);
        }
        if (await postgres.IsRunning(ct))
        {
            say("taking over the PostgreSQL that is already running");
        }
        else
        {
            say("starting PostgreSQL");
            var log = Path.Combine(postgres.Cluster, "server.log");
            await postgres.Run(
                "pg_ctl", ct, "start", "-D", postgres.Cluster, "-w", "-t", "60", "-s", "-l", log, "-o", $"-k {postgres.Sockets}");
        }
        postgres._started = true;
        return postgres;
    }

    /// <summary>Stops the cluster (fast: open transactions are rolled back).</summary>
    public async ValueTask DisposeAsync()
    {
        if (_started)
        {
            _started = false;
            await Run("pg_ctl", CancellationToken.None, "stop", "-D", Cluster, "-m", "fast", "-w", "-t", "60", "-s");
        }
    }

    /// <summary>Leaves the cluster running when this object goes: somebody else owns it.</summary>
    public void LeaveRunning() => _started = false;

    private static string Configuration(bool throwaway) => $"""

        # Sankoré
        listen_addresses = ''
        unix_socket_permissions = 0700
        max_connections = 200
        shared_buffers = {(throwaway ? "128MB" : "256MB")}
        timezone = 'UTC'
        log_timezone = 'UTC'
        {(throwaway ? Throwaway : "wal_compression = on")}

        """;

    private static string FindBinaries()
    {
        var candidates = new List<string>();
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            candidates.AddRange(
                Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(d => int.TryParse(Path.GetFileName(d), out var v) ? v : 0)
                .Select(d => Path.Combine(d, "bin")));
        }
        candidates.AddRange((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator));
        candidates.AddRange(
            ["/usr/pgsql-17/bin", "/usr/pgsql-16/bin", "/usr/pgsql-15/bin", "/opt/homebrew/opt/postgresql@17/bin",
            "/usr/local/opt/postgresql@17/bin"]);
        return candidates.FirstOrDefault(c => File.Exists(Path.Combine(c, "initdb")) && File.Exists(Path.Combine(c, "pg_ctl")))
            ?? throw new OperatorException(
            "PostgreSQL is not installed: install PostgreSQL 15 or later (Debian: apt-get install postgresql), or point SANKORE_DATABASE "
            + "at a server.");
    }

    private static async Task<string> OtherUser(CancellationToken ct)
    {
        var names = (await File.ReadAllLinesAsync("/etc/passwd", ct)).Select(line => line.Split(':')[0]).ToHashSet();
        return ((string[])["postgres", "nobody"]).FirstOrDefault(names.Contains)
            ?? throw new OperatorException(
                "PostgreSQL does not run as root, and this machine has no user 'postgres' or 'nobody' to run it as: start Sankoré as an "
                + "ordinary user.");
    }

    private void MakeFolders()
    {
        foreach (var folder in (string[])[_root, Cluster, Sockets])
        {
            Directory.CreateDirectory(folder);
        }
        if (_user is not null)
        {
            RunAsRoot("chown", _user, Cluster, Sockets);
        }
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Cluster, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.SetUnixFileMode(Sockets, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        if (_user is not null && !RunAsRoot("runuser", "-u", _user, "--", "test", "-w", Cluster))
        {
            throw new OperatorException(
                $"PostgreSQL runs as the user '{_user}', which cannot enter {_root}: choose a folder it can reach with --data DIR (e.g. "
                + $"--data /var/lib/sankore).");
        }
    }

    private async Task<bool> IsRunning(CancellationToken ct)
    {
        if ((await Execute("pg_ctl", ct, "status", "-D", Cluster)).ExitCode != 0)
        {
            return false;
        }
        // In a container without an init that reaps, a killed postmaster stays behind as a zombie, and its lock file would refuse every
        // start. It is gone for good once nobody is attached to its shared memory any more.
        var lockFile = Path.Combine(Cluster, "postmaster.pid");
        var lines = await File.ReadAllLinesAsync(lockFile, ct);
        if (!IsZombie(lines[0].Trim()))
        {
            return true;
        }
        var segment = lines.Length > 6 ? lines[6].Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1] : "";
        while (IsAttached(segment))
        {
            await Task.Delay(50, ct);
        }
        File.Delete(lockFile);
        foreach (var socketLock in Directory.GetFiles(Sockets, "*.lock"))
        {
            File.Delete(socketLock);
        }
        return false;
    }

    private static bool IsZombie(string pid) =>
        File.Exists($"/proc/{pid}/stat") && File.ReadAllText($"/proc/{pid}/stat") is var stat
            && stat[(stat.LastIndexOf(')') + 2)..].StartsWith('Z');

    private static bool IsAttached(string segment) => File.Exists("/proc/sysvipc/shm") && File.ReadLines("/proc/sysvipc/shm").Skip(1)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Any(f => f[1] == segment && f[6] != "0");

    private async Task Run(string program, CancellationToken ct, params string[] arguments)
    {
        var (exitCode, output) = await Execute(program, ct, arguments);
        if (exitCode != 0)
        {
            var log = Path.Combine(Cluster, "server.log");
            var reason = output.Trim().Split('\n').LastOrDefault(l => l.Length > 0) ?? "";
            throw new OperatorException(
                $"PostgreSQL's {program} failed: {reason}{(program == "pg_ctl" && File.Exists(log) ? $" (see {log})" : "")}.");
        }
    }

    private async Task<(int ExitCode, string Output)> Execute(string program, CancellationToken ct, params string[] arguments)
    {
        var path = Path.Combine(_bin, program);
        var start = new ProcessStartInfo(
            _user is null ? path : "runuser")
        { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        foreach (var argument in _user is null ? arguments : ["-u", _user, "--", path, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start)!;
        // pg_ctl's server inherits these pipes: read until pg_ctl itself is gone, not until they close.
        var output = new System.Text.StringBuilder();
        process.OutputDataReceived += (_, e) => Append(e.Data);
        process.ErrorDataReceived += (_, e) => Append(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        while (!process.HasExited)
        {
            await Task.Delay(20, ct);
        }
        lock (output)
        {
            return (process.ExitCode, output.ToString());
        }

        void Append(string? line)
        {
            lock (output)
            {
                output.AppendLine(line);
            }
        }
    }

    private static bool RunAsRoot(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = "/" })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
