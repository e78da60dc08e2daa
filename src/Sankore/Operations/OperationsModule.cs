namespace Sankore.Operations;

/// <summary>Keeping the platform running: audit log, outgoing mail, health, the feed's figures.</summary>
public sealed class OperationsModule : SankoreModule
{
    public override IEnumerable<MenuEntry> Menu =>
    [
        new("audit.read", "/admin/audit", "list", "menu.audit", typeof(Strings), 41),
        new("operations.read", "/admin/outbox", "inbox", "menu.outbox", typeof(Strings), 42),
        new("operations.read", "/admin/live", "bolt", "menu.live", typeof(Strings), 43),
    ];

    public override IEnumerable<HomePart> Home => OperationsHome.Parts;

    public override void Services(IServiceCollection services, IConfiguration configuration)
    {
        services.AddScoped<AuditLogs>();
        services.AddScoped<Outbox>();
        services.AddScoped<LiveNodes>();
    }

    public override void Routes(IEndpointRouteBuilder routes)
    {
        AuditLogsApi.Map(routes);
        HealthApi.Map(routes);
    }
}
