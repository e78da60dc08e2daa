namespace Sankore.Campaigns;

internal static partial class CampaignsLog
{
    [LoggerMessage(2101, LogLevel.Warning, "What leaves and arrives cannot be written down ({Problem}); nothing more leaves until it can")]
    public static partial void LedgerLost(this ILogger logger, string problem);

    [LoggerMessage(2102, LogLevel.Warning, "Progress of campaigns cannot be told ({Problem}); trying again")]
    public static partial void ProgressLost(this ILogger logger, string problem);

    [LoggerMessage(2103, LogLevel.Warning, "Campaign {CampaignId} waits: the mail server takes nothing now ({Problem})")]
    public static partial void ServerAway(this ILogger logger, Guid campaignId, string problem);

    [LoggerMessage(2110, LogLevel.Warning, "The folder of mail servers' reports cannot be read ({Problem}); trying again")]
    public static partial void BouncesLost(this ILogger logger, string problem);

    [LoggerMessage(2111, LogLevel.Information, "Reports of mail servers: {Read} read, {Unread} not understood and put aside")]
    public static partial void BouncesRead(this ILogger logger, int read, int unread);
}
