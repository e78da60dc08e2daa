using Sankore.Platform.Mail;

namespace Sankore.Campaigns;

internal static partial class CampaignsLog
{
    [LoggerMessage(2101, LogLevel.Warning, "Send results cannot be saved ({Problem}); sending stops until they can")]
    public static partial void LedgerLost(this ILogger logger, string problem);

    [LoggerMessage(2102, LogLevel.Warning, "Campaign progress cannot be published ({Problem}); retrying")]
    public static partial void ProgressLost(this ILogger logger, string problem);

    [LoggerMessage(2103, LogLevel.Warning, "Campaign {CampaignId} stops for now: {Fault} at {Phase} ({Problem})")]
    public static partial void ServerSaid(this ILogger logger, Guid campaignId, MailFault fault, SmtpPhase phase, string problem);

    [LoggerMessage(2110, LogLevel.Warning, "The bounce folder cannot be read ({Problem}); retrying")]
    public static partial void BouncesLost(this ILogger logger, string problem);

    [LoggerMessage(2111, LogLevel.Information, "Bounce reports: {Read} read, {Unread} not understood and set aside")]
    public static partial void BouncesRead(this ILogger logger, int read, int unread);
}
