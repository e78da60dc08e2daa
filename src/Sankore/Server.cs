using Npgsql;
using Sankore.Demo;
using Sankore.Platform.Data;
using Sankore.Platform.Security;
using Sankore.Rbac;
using Spectre.Console;

namespace Sankore;

/// <summary>What the two commands of the README do once the program is built: serve, and invite.</summary>
public static class Server
{
    private const string DatabaseVariable = "SANKORE_DATABASE";

    /// <summary>Prepares the database, loads the demo network into an empty one, and serves until it is told to stop.</summary>
    /// <returns>0, or 1 with one sentence on standard error.</returns>
    public static Task<int> Run(string urls, string dataFolder, string? demo, CancellationToken ct) => InOneSentence(async () =>
    {
        var data = Directory.CreateDirectory(dataFolder).FullName;
        using var own = TakeFolder(data)
            ?? throw new OperatorException($"Another Sankoré is running on {data}: stop it, or choose another folder with --data DIR.");
        await using var postgres = await StartPostgres(data, ct);
        var database = await SankoreApp.PrepareDatabase(Connection(postgres), Say, ct);
        var wanted = demo ?? (postgres is null ? "none" : "small");
        if (wanted != "none")
        {
            await LoadDemo(Connection(postgres), demo, wanted, ct);
        }

        await using var app = Create(urls, database, data);
        await Start(app, urls, ct);
        await Greet(app, urls, ct);
        await app.WaitForShutdownAsync(ct);
        Say("stopping");
    });

    /// <summary>Invites an administrator, whether the server is running or not.</summary>
    /// <returns>0, or 1 with one sentence on standard error.</returns>
    public static Task<int> Invite(string urls, string dataFolder, string email, CancellationToken ct) => InOneSentence(async () =>
    {
        var data = Directory.CreateDirectory(dataFolder).FullName;
        using var own = TakeFolder(data);
        await using var postgres = await StartPostgres(data, ct);
        if (own is null)
        {
            postgres?.LeaveRunning();
        }
        var database = await SankoreApp.PrepareDatabase(Connection(postgres), _ => { }, ct);
        await using var app = Create(urls, database, data);
        await using var scope = app.Services.CreateAsyncScope();
        try
        {
            var link = await scope.ServiceProvider.GetRequiredService<Invitations>().Invite(Caller.Service, email, "admin", ct);
            // No server may be running to send the mail: this process works the queue itself.
            await app.Services.GetRequiredService<Platform.Jobs.JobWorker>().WorkSome(ct);
            Console.WriteLine($"{email} can become an administrator within 7 days at {link}");
        }
        catch (Refusal refusal)
        {
            throw new OperatorException(app.Services.GetRequiredService<Platform.Web.Problems>().Message(refusal), refusal);
        }
    });

    private static string? ExternalDatabase => Environment.GetEnvironmentVariable(DatabaseVariable) is { Length: > 0 } given ? given : null;

    private static void Say(string what) => Console.WriteLine($"· {what}");

    private static string Connection(EmbeddedPostgres? postgres) => postgres?.ConnectionString ?? ExternalDatabase!;

    private static async Task<EmbeddedPostgres?> StartPostgres(string data, CancellationToken ct) =>
        ExternalDatabase is null ? await EmbeddedPostgres.Start(Path.Combine(data, "postgres"), throwaway: false, Say, ct) : null;

    private static FileStream? TakeFolder(string data)
    {
        try
        {
            return new FileStream(Path.Combine(data, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static WebApplication Create(string urls, string database, string data)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions
            {
                ContentRootPath = AppContext.BaseDirectory,
                ApplicationName = typeof(Server).Assembly.GetName().Name,
            });
        builder.Configuration["urls"] = urls;
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        return SankoreApp.Build(builder, database, data);
    }

    private static async Task LoadDemo(string connection, string? asked, string size, CancellationToken ct)
    {
        if (!await DemoNetwork.IsEmpty(connection, ct))
        {
            if (asked is not null)
            {
                Say("the database has data already: the demo network is not loaded");
            }
            return;
        }
        await AnsiConsole.Progress().StartAsync(async progress =>
        {
            var task = progress.AddTask($"demo network ({size})");
            await DemoNetwork.Load(connection, size, elsewhere: false, (done, of) => task.Value = 100.0 * done / of, ct);
            task.Value = 100;
        });
    }

    private static async Task Start(WebApplication app, string urls, CancellationToken ct)
    {
        try
        {
            await app.StartAsync(ct);
        }
        catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new OperatorException(
                $"{urls} is in use: stop what listens there, or choose another address with --urls http://127.0.0.1:PORT.", e);
        }
        catch (Exception e) when (
            e is FormatException or System.Net.Sockets.SocketException
            or InvalidOperationException { Source: "Microsoft.AspNetCore.Server.Kestrel.Core" })
        {
            throw new OperatorException($"{urls} cannot be served ({e.Message}): write the address like http://127.0.0.1:5080.", e);
        }
    }

    private static async Task Greet(WebApplication app, string urls, CancellationToken ct)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var invitations = scope.ServiceProvider.GetRequiredService<Invitations>();
        Console.WriteLine();
        Console.WriteLine($"  Sankoré serves {urls}");
        if (await DemoNetwork.IsLoaded(app.Services.GetRequiredService<Db>(), ct))
        {
            Console.WriteLine(DemoNetwork.Accounts);
        }
        if (!await invitations.AdminExists(ct))
        {
            Console.WriteLine($"  No administrator yet. Create the first one at {await invitations.SetUp(ct)}");
        }
        Console.WriteLine();
    }

    private static async Task<int> InOneSentence(Func<Task> work)
    {
        try
        {
            await work();
            return 0;
        }
        catch (OperatorException e)
        {
            await Console.Error.WriteLineAsync($"sankore: {e.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (Exception e) when (e is NpgsqlException or UnauthorizedAccessException or IOException)
        {
            await Console.Error.WriteLineAsync($"sankore: {e.Message.ReplaceLineEndings(" ")}");
            return 1;
        }
    }
}
