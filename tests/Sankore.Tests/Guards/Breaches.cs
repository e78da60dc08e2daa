namespace Sankore.Tests.Guards;

/// <summary>Input that would break a constraint, and how the API answers it.</summary>
/// <param name="Constraint">The constraint, or the unique index.</param>
/// <param name="Path">Where it is sent; a <c>{word}</c> is filled in by the test. Sent with POST, or with what stands before it.</param>
/// <param name="Field">The member of the input that is wrong.</param>
/// <param name="Value">What it is.</param>
/// <param name="Code">The code of the refusal.</param>
/// <param name="IsSaid">Whether the answer names the field; where the constraint itself refuses, the code says enough.</param>
public sealed record Breach(
    string Constraint, string Path, string Field, object? Value, string Code = "VALIDATION_FAILED", bool IsSaid = true);

/// <summary>Constraints that no input reaches.</summary>
/// <param name="Pattern">Their names, with their schema.</param>
/// <param name="Reason">Why.</param>
public sealed record Unreachable(string Pattern, string Reason);

/// <summary>All constraints there are: how input that would break one is refused, or why there is none.</summary>
public static class Breaches
{
    private const string Modules = "/api/modules", Categories = "/api/categories", Plans = "/api/plans", Groups = "/api/groups";
    private const string Schools = "/api/groups/{group}/schools", Staff = "/api/groups/{group}/staff";
    private const string Subscriptions = "/api/groups/{newGroup}/subscriptions";
    private const string Places = "PUT /api/memberships/{place}", Assignments = "PUT /api/users/{teacher}/modules/{module}";
    private const string Campaigns = "/api/campaigns", Contacts = "/api/campaigns/contacts";
    private const string Templates = "/api/campaigns/templates", Suppressions = "/api/campaigns/suppressions";
    private const string Organizations = "/api/campaigns/organizations", Segments = "/api/campaigns/segments";

    /// <summary>Stands for what another row has already: the input is sent twice.</summary>
    public const string Twice = "{twice}";

    private static readonly Guid Nothing = Guid.CreateVersion7();

    public static readonly Breach[] All =
    [
        new("modules_code_unique", Modules, "code", "formation", "CODE_TAKEN"),
        new("modules_code_check", Modules, "code", "???", "CODE_INVALID"),
        new("modules_category_id_fkey", Modules, "categoryId", Nothing, "CATEGORY_UNKNOWN"),
        new("modules_name_check", Modules, "name", " "),
        new("modules_name_en_check", Modules, "nameEn", Long(121)),
        new("modules_description_check", Modules, "description", Long(501)),
        new("modules_kind_check", Modules, "kind", "free"),
        new("modules_sector_check", Modules, "sector", Long(121)),
        new("modules_priority_check", Modules, "priority", 10_000),
        new("modules_status_check", Modules, "status", "asleep"),
        new("modules_icon_check", Modules, "icon", "Ghost!"),
        new("modules_route_check", Modules, "route", "//evil.test/X"),
        new("business_categories_slug_unique", Categories, "slug", "Scolarité", "SLUG_TAKEN"),
        new("business_categories_slug_check", Categories, "slug", "…", "SLUG_INVALID"),
        new("business_categories_name_check", Categories, "name", Long(121)),
        new("business_categories_name_en_check", Categories, "nameEn", Long(121)),
        new("business_categories_description_check", Categories, "description", Long(501)),
        new("business_categories_icon_check", Categories, "icon", "ghost"),
        new("business_categories_color_check", Categories, "color", "pink"),
        new("business_categories_sort_order_check", Categories, "sortOrder", -1),
        new("business_categories_status_check", Categories, "status", ""),

        new("subscription_plans_slug_unique", Plans, "slug", "pro", "PLAN_SLUG_TAKEN"),
        new("subscription_plans_slug_check", Plans, "slug", "…", "SLUG_INVALID"),
        new("subscription_plans_name_check", Plans, "name", Long(121)),
        new("subscription_plans_name_en_check", Plans, "nameEn", Long(121)),
        new("subscription_plans_price_check", Plans, "monthlyPrice", -1),
        new("subscription_plans_currency_check", Plans, "currency", "X1F"),
        new("subscription_plans_status_check", Plans, "status", "asleep"),
        new("plan_modules_price_check", Plans, "modules", new[] { new { moduleId = Nothing, monthlyPrice = -1 } }),
        new("plan_modules_plan_id_module_id_unique", Plans, "modules", new[] { new { moduleId = Nothing }, new { moduleId = Nothing } }),
        new("plan_modules_module_id_fkey", Plans, "modules", new[] { new { moduleId = Nothing } }, "MODULE_UNKNOWN", IsSaid: false),
        new("plan_categories_category_id_fkey", Plans, "categoryIds", new[] { Nothing }, "CATEGORY_UNKNOWN", IsSaid: false),

        new("school_groups_code_unique", Groups, "code", "g001", "GROUP_CODE_TAKEN"),
        new("school_groups_code_check", Groups, "code", "…", "CODE_INVALID"),
        new("school_groups_name_check", Groups, "name", Long(161)),
        new("school_groups_status_check", Groups, "status", "asleep"),
        new("school_groups_time_zone_check", Groups, "timeZone", "Mars/Olympus"),
        new("schools_code_unique", Schools, "code", "s0001", "SCHOOL_CODE_TAKEN"),
        new("schools_code_check", Schools, "code", "…", "CODE_INVALID"),
        new("schools_name_check", Schools, "name", " "),
        new("schools_level_check", Schools, "level", "heaven"),
        new("schools_status_check", Schools, "status", "asleep"),
        new("subscriptions_plan_id_fkey", Subscriptions, "planId", Nothing, "PLAN_UNKNOWN", IsSaid: false),
        new("subscriptions_status_check", Subscriptions, "status", "asleep"),
        new("subscriptions_billing_period_check", Subscriptions, "billingPeriod", "weekly"),
        new("subscriptions_period_check", Subscriptions, "endsAt", "2000-01-01T00:00:00Z"),
        new("subscriptions_school_group_id_live_unique", Subscriptions, "planId", Twice, "SUBSCRIPTION_EXISTS", IsSaid: false),

        new("memberships_role_check", Staff, "role", "king"),
        new("memberships_scope_check", Staff, "schoolId", null),
        new("memberships_school_id_fkey", Staff, "schoolId", Nothing, "SCHOOL_UNKNOWN", IsSaid: false),
        new("memberships_user_id_school_id_role_unique", Staff, "email", Cast.Teacher1, "ALREADY_MEMBER", IsSaid: false),
        new("memberships_status_check", Places, "status", "asleep"),
        new("user_module_permissions_read_check", Assignments, "canRead", false),

        new("organizations_user_id_name_unique", Organizations, "name", Twice, "ORGANIZATION_EXISTS", IsSaid: false),
        new("organizations_name_check", Organizations, "name", Long(201)),
        new("contacts_user_id_email_key_unique", Contacts, "email", Twice, "CONTACT_EXISTS", IsSaid: false),
        new("contacts_email_check", Contacts, "email", "nobody"),
        new("contacts_name_check", Contacts, "name", Long(201)),
        new("contacts_phone_check", Contacts, "phone", Long(41)),
        new("contacts_tags_check", Contacts, "tags", Enumerable.Range(0, 21).Select(n => $"t{n}").ToArray()),
        new("contacts_consent_source_check", Contacts, "consentSource", Long(201)),
        new("segments_user_id_name_unique", Segments, "name", Twice, "SEGMENT_EXISTS", IsSaid: false),
        new("segments_name_check", Segments, "name", Long(121)),
        new("suppressions_user_id_email_key_unique", Suppressions, "email", Twice, "SUPPRESSION_EXISTS", IsSaid: false),
        new("suppressions_email_check", Suppressions, "email", "nobody"),
        new("suppressions_detail_check", Suppressions, "detail", Long(501)),
        new("email_templates_name_check", Templates, "name", Long(121)),
        new("email_templates_subject_check", Templates, "subject", Long(251)),
        new("email_templates_content_check", Templates, "content", Long(500_001)),
        new("email_campaigns_name_check", Campaigns, "name", Long(121)),
        new("email_campaigns_subject_check", Campaigns, "subject", Long(251)),
        new("email_campaigns_content_check", Campaigns, "content", Long(500_001)),
        new("email_campaigns_audience_check", Campaigns, "audience", new { kind = "nobody" }),
        new("email_campaigns_from_name_check", Campaigns, "fromName", Long(121)),
        new("email_campaigns_reply_to_check", Campaigns, "replyTo", "nobody"),

        new("api_keys_name_check", "/api/api-keys", "name", Long(121)),
        new("users_email_check", "/api/auth/register", "email", "nobody", "EMAIL_INVALID"),
    ];

    public static readonly Unreachable[] Others =
    [
        new(@"_moment_check$", "no input has a moment out of its range (MomentGuards, MomentTests)"),
        new(@"_pkey$", "the server makes the keys, or they are a row's that it has just read"),
        new(@"_(created|granted|assigned|used)_by(_key)?_fkey$", "it is the caller"),
        new(@"^(audit|live|util)\.", "the platform writes its own tables"),
        new(@"^auth\.|^public\.profiles_(id_fkey|username_unique|locale_check|avatar_url_check)$",
            "the account store and the sessions write them: the name is the address', the language of a list, a reason is asked before"),
        new(@"^public\.profiles_display_name_check$", "the page of the account asks before (ProfileTests); there is no route of the API"),
        new(@"^rbac\.(permissions|roles|role_permissions|role_grants_log)_",
            "no input changes roles and permissions; the log is the database's"),
        new(@"^rbac\.user_roles_", "a role is granted by its name, to a person who is looked up, and twice is once (rbac.grant_role)"),
        new(@"^rbac\.(invitations_(token_hash_unique|user_id_fkey)|api_keys_key_hash_unique)$", "secrets and accounts are the server's"),
        new(@"^tenancy\.(plan_modules|plan_categories)_plan_id_(fkey|category_id_unique)$",
            "it is the plan that is being saved, and a category named twice is taken once"),
        new(@"^tenancy\.(subscriptions|schools|memberships)_school_group_id_fkey$",
            "the group is read first: NOT_FOUND, and GROUP_UNKNOWN for a row of an import (ImportTests)"),
        new(@"^tenancy\.(school_groups|schools)_logo_id_fkey$", "the server keeps the picture in the same unit of work (LogoTests)"),
        new(@"^tenancy\.modules_is_built_check$", "the address that is missing is named, not what needs it: ModuleRefusalTests"),
        new(@"^tenancy\.schools_(subscription_id_fkey|active_modules_check|id_school_group_id_unique)$",
            "schools follow their group's subscription and plan"),
        new(@"^tenancy\.memberships_user_id_fkey$", "the account is made or looked up by its address"),
        new(@"^tenancy\.user_module_permissions_(target|\w+_id_fkey)",
            "judged before it is written: NOT_FOUND (AssignmentRules), and given twice it is changed"),
        new(@"^tenancy\.(module_assignment_logs|told_audiences)_", "written by the use case and the feed"),
        new(@"^tenancy\.invited_places_", "checked as a place is: memberships"),
        new(@"^campaigns\.\w+_user_id_fkey$", "it is the caller"),
        new(@"^campaigns\.\w+_user_id_id_unique$", "for the foreign keys that carry the user along"),
        new(@"^campaigns\.\w+_user_id_(campaign|message|contact|organization|template)_id_fkey$",
            "the row is read first, as the caller: NOT_FOUND"),
        new(@"^campaigns\.contact_fields_", "each rule of a field, and a name that is there, are asked with their words (FieldsTests)"),
        new(@"^campaigns\.contacts_fields_check$", "thirty values of at most 500 characters are never so long"),
        new(@"^campaigns\.(segments_filter|suppressions_reason)_check$", "the server writes the value"),
        new(@"^campaigns\.email_campaigns_(status|scheduled_at|language|failure|server_reply)_check$",
            "states and what goes with them are the server's"),
        new(@"^campaigns\.(bounce_undos|past_\w+)_", "the database writes what was taken back, and what is gone"),
        new(@"^campaigns\.email_(templates|campaigns)_design_check$", "a design is written by the program, which bounds it (DesignTests)"),
        new(@"^campaigns\.attachments_", "files come as parts of a form (AttachmentsTests)"),
        new(@"^campaigns\.emails_sent_", "messages are made of contacts by the server"),
        new(@"^campaigns\.delivery_events_", "what cannot be understood is ignored, what is long is cut (EventsTests)"),
        new(@"^campaigns\.(campaign_links|signing_keys)_", "the server makes links and keys"),
    ];

    private static string Long(int length) => new('n', length);
}
