using Sankore.Platform.Security;

namespace Sankore.Campaigns;

/// <summary>The reasons that campaigns refuse with.</summary>
public static class CampaignsReasons
{
    private static readonly Dictionary<string, Reason> Book = new[]
    {
        Of("CONTACT_EXISTS", 409), Of("ORGANIZATION_EXISTS", 409), Of("SEGMENT_EXISTS", 409), Of("FIELD_EXISTS", 409),
        Of("FIELDS_FULL", 409), Of("AUDIENCE_IN_USE", 409),
        Of("SUPPRESSED", 409),
        Of("SUPPRESSION_KEPT", 409), Of("SUPPRESSION_EXISTS", 409),
        Of("CAMPAIGN_STATE", 409), Of("CAMPAIGN_SETTLED", 409), Of("ATTACHMENTS_FULL", 409), Of("EMAIL_STATE", 409), Of("CHOOSE_ONE", 422),
        Of("CHOOSE_TWO", 422),
        Of("CAMPAIGN_INCOMPLETE", 422), Of("CAMPAIGN_PLACEHOLDERS", 422), Of("CAMPAIGN_FIELDS", 422),
        Of("AUDIENCE_EMPTY", 422), Of("SIGNATURE_INVALID", 401),
    }.ToDictionary(r => r.Code);

    public static IEnumerable<Reason> All => Book.Values;

    extension(Reason)
    {
        /// <summary>Another contact of the user has the address.</summary>
        public static Reason ContactExists => Book["CONTACT_EXISTS"];

        /// <summary>Another organisation of the user has the name, in some spelling.</summary>
        public static Reason OrganizationExists => Book["ORGANIZATION_EXISTS"];

        /// <summary>Another segment of the user has the name.</summary>
        public static Reason SegmentExists => Book["SEGMENT_EXISTS"];

        /// <summary>Campaigns that are not sent yet, named in the message, are for it.</summary>
        public static Reason AudienceInUse => Book["AUDIENCE_IN_USE"];

        /// <summary>The campaign is not in the state that this needs.</summary>
        public static Reason CampaignState => Book["CAMPAIGN_STATE"];

        /// <summary>What a campaign says and to whom is settled when it leaves the draft.</summary>
        public static Reason CampaignSettled => Book["CAMPAIGN_SETTLED"];

        /// <summary>A campaign carries at most ten files and 10 MB.</summary>
        public static Reason AttachmentsFull => Book["ATTACHMENTS_FULL"];

        /// <summary>Another field of the user has the name.</summary>
        public static Reason FieldExists => Book["FIELD_EXISTS"];

        /// <summary>A person has thirty fields at most.</summary>
        public static Reason FieldsFull => Book["FIELDS_FULL"];

        /// <summary>A starter's placeholders, named in the message, are still in the campaign.</summary>
        public static Reason CampaignPlaceholders => Book["CAMPAIGN_PLACEHOLDERS"];

        /// <summary>The message names fields, named in the message, that contacts do not have.</summary>
        public static Reason CampaignFields => Book["CAMPAIGN_FIELDS"];

        /// <summary>A campaign without subject or content cannot be sent.</summary>
        public static Reason CampaignIncomplete => Book["CAMPAIGN_INCOMPLETE"];

        /// <summary>The audience has nobody who is written to.</summary>
        public static Reason AudienceEmpty => Book["AUDIENCE_EMPTY"];

        /// <summary>The address is on the user's suppression list already.</summary>
        public static Reason SuppressionExists => Book["SUPPRESSION_EXISTS"];

        /// <summary>What a provider tells is not signed with the configured key, or too long ago.</summary>
        public static Reason SignatureInvalid => Book["SIGNATURE_INVALID"];

        /// <summary>Nothing was chosen, or only one where there must be two.</summary>
        public static Reason ChooseOne => Book["CHOOSE_ONE"];

        public static Reason ChooseTwo => Book["CHOOSE_TWO"];
    }

    private static Reason Of(string code, int status) => new(code, status, typeof(Strings));
}
