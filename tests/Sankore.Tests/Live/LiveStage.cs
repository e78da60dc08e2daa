using System.Net;
using Sankore.Bench.Crowds;
using Sankore.Demo;

namespace Sankore.Tests.Live;

/// <summary>
/// Several nodes, processes of their own, on a durable PostgreSQL of their own, and rows that a crowd of people is told of: everything may
/// be killed here. A writer renames rows to "Rafale #1", "#2" …; afterwards every client must have been told the last state of each row, or
/// to read everything again, and nothing twice or out of order.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class LiveStage : IAsyncLifetime, ICollectionFixture<LiveStage>
{
    /// <summary>The group of tests that share one; nothing else runs beside them.</summary>
    public const string Name = "live stage";

    private const int People = 20;
    private const int Rows = 20;

    private const string PrepareSql = $"""
        {Burst.InsertSql};
        insert into tenancy.user_module_permissions (user_id, school_group_id, category_id)
        select distinct m.user_id, m.school_group_id, c.id from tenancy.memberships m cross join tenancy.business_categories c
        where m.school_id is not null and c.slug = 'scolarite' on conflict do nothing
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("sankore-stage-").FullName;
    private readonly List<SankoreProcess> _nodes = [];
    private string[] _tokens = [];

    public LiveStage()
    {
        Postgres = new StagePostgres(_folder);
        Burst = new Burst(() => Postgres.Admin);
    }

    /// <summary>
    /// Whether the nodes are given the hosts of a primary and of a standby, which may follow it later; else only that of the primary.
    /// </summary>
    public bool WithStandby { get; init; }

    /// <summary>What may crash.</summary>
    public StagePostgres Postgres { get; }

    /// <summary>What is told meanwhile.</summary>
    public Burst Burst { get; }

    /// <summary>The nodes.</summary>
    public IReadOnlyList<SankoreProcess> Nodes => _nodes;

    /// <summary>Where they serve.</summary>
    public IReadOnlyList<IPEndPoint> Addresses => [.. _nodes.Select(n => new IPEndPoint(IPAddress.Loopback, n.Address.Port))];

    /// <summary>The administrator's connection string.</summary>
    public string Admin => Postgres.Admin;

    public async ValueTask InitializeAsync()
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(
                _folder,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }
        await Postgres.Start();
        await SankoreApp.PrepareDatabase(Admin, _ => { }, CancellationToken.None);
        await DemoNetwork.Load(Admin, "small", elsewhere: true, (_, _) => { }, CancellationToken.None);
        await Burst.Execute(PrepareSql, new { word = Burst.Word, rows = Rows });
        for (var node = 0; node < 3; node++)
        {
            _nodes.Add(Start(node, null));
        }
        await Task.WhenAll(_nodes.Select(n => n.Ready()));
        _tokens = await Task.WhenAll(
            Enumerable.Range(1, People)
            .Select(async n => (await _nodes[0].As($"head.s{n:0000}@sankore.test")).DefaultRequestHeaders.Authorization!.Parameter!));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
        await Postgres.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Kills a node, and starts it again at the same address.</summary>
    public async Task Kill(int node)
    {
        await _nodes[node].Signal("KILL");
        await _nodes[node].DisposeAsync();
        _nodes[node] = Start(node, _nodes[node].Address);
    }

    /// <summary>Somebody who asks a node.</summary>
    public HttpClient Head(SankoreProcess node)
    {
        var client = new HttpClient { BaseAddress = node.Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", _tokens[0]);
        return client;
    }

    /// <summary>A crowd at some addresses (null: the nodes'), all connected. Whoever is cut off comes back.</summary>
    public async Task<(Crowd Crowd, CrowdHistory History, long Since)> Gather(
        int clients, IReadOnlyList<IPEndPoint>? addresses = null, int receiveBuffer = 0)
    {
        var history = new CrowdHistory();
        var since = await Burst.Position();
        var crowd = new Crowd(
            new CrowdOptions { Servers = addresses ?? Addresses, Seen = history.Seen, ReceiveBuffer = receiveBuffer },
            Enumerable.Range(0, clients).Select(n => _tokens[n % _tokens.Length]));
        (await crowd.Connect(TimeSpan.FromSeconds(90)))
            .ShouldBeTrue($"{crowd.Open} of {clients} are connected, the last refusal was {crowd.LastRefusal}");
        return (crowd, history, since);
    }

    /// <summary>
    /// Waits until everybody is connected and has been told the last state of every row that changed since, or to read everything again;
    /// nobody anything twice or out of order.
    /// </summary>
    public async Task Settled(Crowd crowd, CrowdHistory history, long since)
    {
        var log = await Burst.Log(since);
        await Waiting.Until(() => crowd.Open == crowd.Clients.Count && crowd.Clients.All(c => history.Missed(c, log).Count == 0),
            () =>
                $"everybody ({crowd.Open} of {crowd.Clients.Count} open, last refusal {crowd.LastRefusal}) was told of the {log.Count} "
                + $"changes; {crowd.Clients.Count(c => history.Missed(c, log).Count > 0)} miss some", 90);
        crowd.Clients.SelectMany(history.Disorder).ShouldBeEmpty();
    }

    private SankoreProcess Start(int node, Uri? at) => SankoreProcess.Start(
        Path.Combine(_folder, $"node-{node}"), ["--demo", "none"], WithStandby ? Postgres.EveryHost
        : Admin, at, new Dictionary<string, string>
        {
            ["Sankore__Live__PerPerson"] = "10000",
            // Else its entries of the log would be among those that the tests count.
            ["Sankore__Live__ReportEvery"] = "0",
            ["Sankore__SignIn__PerAddressPerMinute"] = "10000",
        });
}
