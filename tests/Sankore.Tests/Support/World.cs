using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Npgsql;
using Sankore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Live;

namespace Sankore.Tests.Support;

/// <summary>The fixed cast, in groups of different plans: people of the small demo network.</summary>
public static class Cast
{
    public const string Super = "super@sankore.test";
    public const string Admin1 = "admin.g001@sankore.test";
    public const string Admin2 = "admin.g002@sankore.test";

    /// <summary>Head of a school whose group lives on Premium.</summary>
    public const string HeadOnPremium = "head.s0001@sankore.test";

    /// <summary>Head of a school whose group lives on Essentiel.</summary>
    public const string HeadOnEssentiel = "head.s0002@sankore.test";

    /// <summary>Head of a school whose group lives on Gratuit.</summary>
    public const string HeadOnGratuit = "head.s0003@sankore.test";
    public const string Teacher1 = "teacher.s0001.1@sankore.test";
}

/// <summary>A server of one's own: real Kestrel on a free port, a database of its own from the template.</summary>
public class World : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, Task<string>> _tokens = new();
    private readonly string _data = Directory.CreateTempSubdirectory("sankore-world-").FullName;

    /// <summary>Whether the database has the demo network.</summary>
    protected virtual bool Demo => true;

    /// <summary>Settings that differ from the default.</summary>
    protected virtual IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>();

    /// <summary>Routes of a test's own.</summary>
    protected virtual void Map(WebApplication app)
    {
    }

    public WebApplication App { get; private set; } = default!;
    public Uri Address { get; private set; } = default!;

    /// <summary>The administrator's connection string (superuser: sees everything).</summary>
    public string AdminConnection { get; private set; } = default!;

    /// <summary>The program's connection string (<c>sankore_app</c>).</summary>
    public string AppConnection { get; private set; } = default!;
    public string OutboxFolder => Path.Combine(_data, "outbox");
    public Db Db => App.Services.GetRequiredService<Db>();

    public async ValueTask InitializeAsync()
    {
        AdminConnection = await Cluster.CreateDatabase(Demo);
        AppConnection = await SankoreApp.PrepareDatabase(AdminConnection, _ => { }, CancellationToken.None);
        App = await StartNode("http://127.0.0.1:0");
        Address = AddressOf(App);
    }

    /// <summary>Starts a node on this database; the first is <see cref="App"/>. Whoever starts another stops it.</summary>
    public async Task<WebApplication> StartNode(string urls)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { ApplicationName = "Sankore", EnvironmentName = "Test", ContentRootPath = Repository.Source });
        builder.WebHost.UseUrls(urls);
        builder.Configuration["urls"] = urls;
        builder.Configuration["Sankore:SignIn:PerAddressPerMinute"] = "100000";
        builder.Configuration["Sankore:Live:ReportEvery"] = "0";
        foreach (var (key, value) in Settings)
        {
            builder.Configuration[key] = value;
        }
        builder.WebHost.UseStaticWebAssets();
        // What the server calls an error stands in the run's output: a page that says "something went wrong" does not say what.
        builder.Logging.ClearProviders().AddSimpleConsole().AddFilter<ConsoleLoggerProvider>(null, LogLevel.Error);
        builder.Services.Configure<PasswordHasherOptions>(o => o.IterationCount = Cluster.HashIterations);
        var app = SankoreApp.Build(builder, AppConnection, _data);
        Map(app);
        await app.StartAsync();
        await app.Services.GetRequiredService<ChangeLog>().Started;
        return app;
    }

    public static Uri AddressOf(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>A client without an identity.</summary>
    public HttpClient Nobody() => new() { BaseAddress = Address };

    /// <summary>A client signed in as somebody of the cast.</summary>
    public async Task<HttpClient> As(string email)
    {
        var client = Nobody();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await Token(email));
        return client;
    }

    /// <summary>A bearer token of somebody of the cast.</summary>
    public Task<string> Token(string email) => _tokens.GetOrAdd(email, async e =>
    {
        using var client = Nobody();
        var answer = await client.PostAsJsonAsync("/api/auth/login", new { email = e, password = PasswordRules.Demo });
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("accessToken").GetString()!;
    });

    /// <summary>The id of somebody of the cast.</summary>
    public async Task<Guid> IdOf(string email) => await Sql<Guid>("select id from auth.users where email = @email", new { email });

    /// <summary>One value, as the superuser.</summary>
    public async Task<T> Sql<T>(string sql, object? args = null)
    {
        await using var connection = new NpgsqlConnection(AdminConnection);
        return (await connection.ExecuteScalarAsync<T>(sql, args))!;
    }

    /// <summary>Statements, as the superuser.</summary>
    public async Task<int> Execute(string sql, object? args = null)
    {
        await using var connection = new NpgsqlConnection(AdminConnection);
        return await connection.ExecuteAsync(sql, args);
    }

    /// <summary>
    /// Statements as the program's login in some role, in one transaction: what row policies allow, whatever the code does.
    /// </summary>
    public async Task<IReadOnlyList<T>> AsRole<T>(string role, Guid? userId, string sql, object? args = null)
    {
        await using var connection = new NpgsqlConnection(AppConnection);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var claims = JsonSerializer.Serialize(userId is null ? new { sub = (Guid?)null, role } : new { sub = userId, role });
        await connection.ExecuteAsync(
            "select set_config('role', @role, true), set_config('request.jwt.claims', @claims, true)", new { role, claims });
        var rows = (await connection.QueryAsync<T>(sql, args)).AsList();
        await transaction.CommitAsync();
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        // One that could not be started is disposed of too, and why it could not is what the test should say.
        if (App is not null)
        {
            await App.StopAsync();
            await App.DisposeAsync();
            Cluster.ClearPool(AppConnection);
            Cluster.ClearPool(AdminConnection);
        }
        Directory.Delete(_data, recursive: true);
        GC.SuppressFinalize(this);
    }
}

/// <summary>A world without demo data.</summary>
public class EmptyWorld : World
{
    protected override bool Demo => false;
}
