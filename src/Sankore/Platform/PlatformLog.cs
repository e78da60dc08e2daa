namespace Sankore.Platform;

internal static partial class PlatformLog
{
    [LoggerMessage(1001, LogLevel.Warning, "The change log cannot be read ({Problem}); retrying")]
    public static partial void LiveLogLost(this ILogger logger, string problem);

    [LoggerMessage(1002, LogLevel.Warning, "Permissions of the live feed cannot be read ({Problem}); its streams wait")]
    public static partial void LiveRightsUnknown(this ILogger logger, string problem);

    [LoggerMessage(1003, LogLevel.Error, "A shard of the live feed failed at one step")]
    public static partial void LiveShardFailed(this ILogger logger, Exception exception);

    [LoggerMessage(1004, LogLevel.Warning, "Metrics of the live feed cannot be reported ({Problem}); retrying")]
    public static partial void LiveReportLost(this ILogger logger, string problem);

    [LoggerMessage(
        1005, LogLevel.Warning,
        "The change log has lost what was read of it up to {Position} (a failover or a restore?); every stream is told to read "
        + "everything again")]
    public static partial void LiveLogBeganAnew(this ILogger logger, long position);

    [LoggerMessage(1101, LogLevel.Warning, "Job {JobId} of type {JobType} failed at attempt {Attempt}: {Problem}")]
    public static partial void JobFailed(this ILogger logger, Guid jobId, string jobType, int attempt, string problem);

    [LoggerMessage(1102, LogLevel.Warning, "Jobs cannot be claimed ({Problem}); retrying")]
    public static partial void JobQueueLost(this ILogger logger, string problem);

    [LoggerMessage(1103, LogLevel.Warning, "Recurring work {Name} failed: {Problem}")]
    public static partial void RecurringFailed(this ILogger logger, string name, string problem);

    [LoggerMessage(
        1104, LogLevel.Warning,
        "The mail of job {JobId} was given to the mail server, whose answer was lost: it may have been delivered, and is not sent again")]
    public static partial void MailOutcomeUnknown(this ILogger logger, Guid jobId);

    [LoggerMessage(1105, LogLevel.Information, "Mail is signed; publish this record: {Record}")]
    public static partial void MailIsSigned(this ILogger logger, string record);

    [LoggerMessage(1201, LogLevel.Error, "Request {Method} {Path} failed, trace {TraceId}")]
    public static partial void RequestFailed(this ILogger logger, string method, string path, string traceId, Exception exception);
}
