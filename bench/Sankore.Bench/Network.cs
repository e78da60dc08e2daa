using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Claims;
using Dapper;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.BearerToken;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Sankore.Bench.Crowds;
using Sankore.Demo;
using Sankore.Platform.Data;
using Sankore.Platform.Web;

namespace Sankore.Bench;

/// <summary>Several nodes on one PostgreSQL with a demo network whose people all hear of the modules of one category.</summary>
internal sealed class Network : IAsyncDisposable
{
    /// <summary>Streams that one process has descriptors for, where 20,000 are allowed.</summary>
    public const int MostPerNode = 19_000;

    private const int SmallNetwork = 600;
    private const int Connections = 150;

    // Heads have the category in their school, others not at all: everybody who works in a school gets it for the group. Nobody listens
    // yet, so the triggers, which would say so, rest.
    private const string EverybodyHearsSql = $"""
        alter table tenancy.user_module_permissions disable trigger user;
        insert into tenancy.user_module_permissions (user_id, school_group_id, category_id)
        select distinct m.user_id, m.school_group_id, c.id from tenancy.memberships m cross join tenancy.business_categories c
        where m.school_id is not null and c.slug = 'scolarite' on conflict do nothing;
        alter table tenancy.user_module_permissions enable trigger user;
        alter table tenancy.modules disable trigger user;
        {Burst.InsertSql};
        alter table tenancy.modules enable trigger user;
        select tenancy.remember_audiences();
        analyze tenancy.user_module_permissions, tenancy.modules
        """;

    /// <summary>The first people who belong to a group: operators are told of the catalogue, in other entries of the log.</summary>
    public const string PeopleSql = """
        select id from auth.users u where exists (select from tenancy.memberships m where m.user_id = u.id)
        order by id limit @people
        """;


    private readonly string _folder;
    private Task<EmbeddedPostgres> _starting;
    private readonly List<ServerProcess> _nodes = [];

    private Network(string folder)
    {
        (_folder, _starting) = (folder, StartPostgres(folder));
        Leftovers.Add(this);
    }

    /// <summary>The nodes.</summary>
    public IReadOnlyList<ServerProcess> Nodes => _nodes;

    /// <summary>Where the nodes listen.</summary>
    public IReadOnlyList<IPEndPoint> Addresses => [.. _nodes.Select(n => new IPEndPoint(IPAddress.Loopback, n.Address.Port))];

    /// <summary>The administrator's connection string.</summary>
    public string Admin => $"{_starting.Result.ConnectionString};Database=sankore";

    /// <summary>CPU seconds of all nodes.</summary>
    public double CpuSeconds => _nodes.Sum(n => n.CpuSeconds);

    /// <summary>CPU seconds of PostgreSQL.</summary>
    public double PostgresCpuSeconds => Proc.CpuOfFamily(Postmaster);

    private int Postmaster =>
        int.Parse(File.ReadLines(Path.Combine(_folder, "postgres", "cluster", "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    /// <summary>Makes the cluster, the people and the nodes.</summary>
    /// <param name="people">Who is to connect: small (600 people) or full (100,000) follows from it.</param>
    /// <param name="nodes">Server processes.</param>
    /// <param name="modules">Further modules that everybody hears of, with codes <c>rafale-1</c> and so on.</param>
    public static async Task<Network> Start(int people, int nodes, int modules)
    {
        var folder = Directory.CreateTempSubdirectory("sankore-bench-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(
                folder,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }
        var network = new Network(folder);
        var postgres = (await network._starting).ConnectionString;
        await SankoreApp.PrepareDatabase(postgres, _ => { }, CancellationToken.None);
        await DemoNetwork.Load(postgres, people <= SmallNetwork ? "small" : "full", elsewhere: true, (_, _) => { }, CancellationToken.None);
        await using (var database = new NpgsqlConnection(network.Admin))
        {
            await database.ExecuteAsync(EverybodyHearsSql, new { word = Burst.Word, rows = modules }, commandTimeout: 300);
        }
        for (var i = 0; i < nodes; i++)
        {
            network._nodes.Add(await ServerProcess.Start("none", $"{postgres};Maximum Pool Size={Math.Min(40, Connections / nodes)}"));
        }
        return network;
    }

    /// <summary>
    /// Bearer tokens of so many people, over and over until there are <paramref name="count"/>: made with the database's own keys, as
    /// signing in a hundred thousand with passwords would take an hour.
    /// </summary>
    public async Task<IReadOnlyList<string>> Tokens(int count, int people)
    {
        await using var database = new NpgsqlConnection(Admin);
        // Each has one session, which has their own id.
        await database.ExecuteAsync(
            $"insert into auth.sessions (id, user_id) select id, id from ({PeopleSql}) p on conflict do nothing", new { people });
        var found = (await database.QueryAsync<Guid>(PeopleSql, new { people })).AsList();
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions
            {
                ContentRootPath = AppContext.BaseDirectory,
                ApplicationName = typeof(Server).Assembly.GetName().Name,
            });
        builder.Logging.ClearProviders();
        await using var app = SankoreApp.Build(builder, await SankoreApp.PrepareDatabase(Admin, _ => { }, CancellationToken.None), _folder);
        var protector = app.Services.GetRequiredService<IOptionsMonitor<BearerTokenOptions>>().Get(IdentityConstants.BearerScheme)
            .BearerTokenProtector;
        var tokens = found.ConvertAll(p => protector.Protect(Ticket(p)));
        return [.. Enumerable.Range(0, count).Select(i => tokens[i % tokens.Count])];
    }

    /// <summary>Crashes PostgreSQL (« immediate »: nothing is finished) and starts it again, which recovers from its log.</summary>
    public async Task CrashPostgres()
    {
        using (var postmaster = Process.GetProcessById(Postmaster))
        {
            using var quit = Process.Start("kill", ["-QUIT", postmaster.Id.ToString(CultureInfo.InvariantCulture)]);
            await postmaster.WaitForExitAsync();
        }
        _starting = StartPostgres(_folder);
        await _starting;
    }

    public ValueTask DisposeAsync() => Leftovers.Once(this, Stop);

    private async Task Stop()
    {
        await Task.WhenAll(_nodes.Select(n => n.DisposeAsync().AsTask()));
        await (await _starting).DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static Task<EmbeddedPostgres> StartPostgres(string folder) =>
        EmbeddedPostgres.Start(Path.Combine(folder, "postgres"), throwaway: false, _ => { }, CancellationToken.None);

    private static AuthenticationTicket Ticket(Guid person)
    {
        var claims = new ClaimsIdentity(
            [new Claim(ClaimTypes.NameIdentifier, person.ToString()), new Claim(CallerFeature.SessionClaim, person.ToString())],
            IdentityConstants.BearerScheme);
        return new AuthenticationTicket(
            new ClaimsPrincipal(claims), new AuthenticationProperties { ExpiresUtc = DateTimeOffset.UtcNow.AddHours(12) },
            $"{IdentityConstants.BearerScheme}:AccessToken");
    }
}
