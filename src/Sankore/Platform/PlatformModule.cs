using Sankore.Platform.Data;
using Sankore.Platform.Files;
using Sankore.Platform.Imports;
using Sankore.Platform.Jobs;

namespace Sankore.Platform;

/// <summary>What every module stands on. Its other services are the server's own (SankoreApp).</summary>
public sealed class PlatformModule : SankoreModule
{
    public override IEnumerable<RecurringWork> Recurring =>
    [
        new("live feed: drop old partitions of the change log", TimeSpan.FromHours(1), "select live.keep_partitions()"),
        new(
            "jobs: delete completed jobs", TimeSpan.FromHours(1),
            "delete from util.job_queue where status = 'completed' and completed_at < now() - interval '30 days'"),
        new(
            "imports: delete old uploads", TimeSpan.FromHours(1),
            "delete from util.imports where created_at < now() - interval '7 days'"),
        new(
            "undo: forget what was deleted", TimeSpan.FromMinutes(10),
            "delete from util.deleted_rows where deleted_at < now() - interval '1 hour'"),
    ];

    public override void Services(IServiceCollection services, IConfiguration configuration)
    {
        services.AddScoped<FileImports>();
        services.AddScoped<ImportReport>();
        services.AddScoped<DeletedRows>();
        services.AddScoped<Pictures>();
        services.AddSingleton<IJobHandler, ImportJob>();
    }

    public override void Routes(IEndpointRouteBuilder routes) => Pictures.Map(routes);
}
