using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Tenancy;

/// <summary>A group's subscription to a plan (document 002, <c>abonnements</c>).</summary>
/// <param name="Status">One of <see cref="SubscriptionInput.States"/>.</param>
/// <param name="BillingPeriod"><c>monthly</c> or <c>yearly</c>.</param>
/// <param name="EndsAt">When its period ends; null: it has no end.</param>
/// <param name="AutoRenew">Whether the end begins another period.</param>
public sealed record Subscription(
    Guid Id, Guid GroupId, Guid PlanId, string Plan, string Status, string BillingPeriod, DateTime StartsAt, DateTime? EndsAt,
    bool AutoRenew, DateTime? CancelledAt, int Version) : IVersioned
{
    /// <summary>Whether the group lives on it.</summary>
    public bool IsLive => SubscriptionInput.Live.Contains(Status);
}

/// <summary>What an administrator writes of a subscription. What is left out has its default, or stays.</summary>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it.</param>
public sealed record SubscriptionInput(
    Guid? PlanId, string? Status, string? BillingPeriod, Moment? StartsAt, Moment? EndsAt, bool? AutoRenew, int? Version)
{
    /// <summary>The states in which a group lives on its plan; the database has the same (<c>tenancy.is_live</c>).</summary>
    public static readonly string[] Live = ["trialing", "active", "past_due"];

    public static readonly string[] States = [.. Live, "suspended", "cancelled", "expired"];

    public static readonly string[] Periods = ["monthly", "yearly"];

    /// <summary>The states that a subscription may go to from another. Cancelled is for good: a new one begins.</summary>
    public static IReadOnlyList<string> Next(string state) => state switch
    {
        "trialing" => ["active", "suspended", "cancelled", "expired"],
        "active" => ["past_due", "suspended", "cancelled", "expired"],
        "past_due" => ["active", "suspended", "cancelled", "expired"],
        "suspended" => ["active", "cancelled", "expired"],
        "expired" => ["active"],
        _ => [],
    };

    /// <summary>
    /// The input of a new subscription, complete but for an end that is the period's: the database counts it, on the clocks of the group.
    /// Refuses with VALIDATION_FAILED.
    /// </summary>
    /// <param name="now">The moment.</param>
    internal SubscriptionInput ForNew(Moment now)
    {
        var starts = StartsAt ?? now;
        var input = this with
        {
            Status = Status ?? "active",
            BillingPeriod = BillingPeriod ?? "yearly",
            StartsAt = starts,
            EndsAt = EndsAt ?? (Status == "trialing" ? Moment.Of(starts.Utc.AddDays(30)) : null),
            AutoRenew = AutoRenew ?? true,
        };
        new Validation().That("planId", input.PlanId is not null, "field.required").OneOf("status", input.Status, ["trialing", "active"])
            .OneOf("billingPeriod", input.BillingPeriod, Periods)
            .That("endsAt", input.EndsAt is { } ends
                ? ends > (DateTimeOffset)starts && ends > (DateTimeOffset)now
                : input.Status != "trialing" && Moment.Of(starts.Utc.AddMonths(input.BillingPeriod == "monthly" ? 1 : 12)) is not null,
                "period.invalid").Check();
        return input;
    }

    /// <summary>The input of a change, complete. Refuses with VALIDATION_FAILED, TRANSITION_INVALID.</summary>
    /// <param name="current">What it is now.</param>
    /// <param name="now">The moment.</param>
    internal SubscriptionInput ForChange(Subscription current, DateTimeOffset now)
    {
        var input = this with
        {
            PlanId = PlanId ?? current.PlanId,
            Status = Status ?? current.Status,
            BillingPeriod = BillingPeriod ?? current.BillingPeriod,
            StartsAt = StartsAt ?? Moment.Of(Utc(current.StartsAt)),
            EndsAt = EndsAt ?? (current.EndsAt is { } end ? Moment.Of(Utc(end)) : null),
            AutoRenew = AutoRenew ?? current.AutoRenew,
        };
        new Validation().OneOf("status", input.Status, States).OneOf("billingPeriod", input.BillingPeriod, Periods)
            .That(
                "endsAt", input.EndsAt is null || input.EndsAt > (DateTimeOffset)input.StartsAt!.Value, "period.invalid")
            .That("endsAt", input.Status is not ("trialing" or "active") || input.EndsAt is null || input.EndsAt > now, "period.over")
            .Check();
        return input.Status == current.Status || Next(current.Status).Contains(input.Status) ? input
            : throw new Refusal(Reason.TransitionInvalid);
    }

    private static DateTime Utc(DateTime read) => DateTime.SpecifyKind(read, DateTimeKind.Utc);
}

/// <summary>What happened to a group's subscriptions, newest first: out of the audit log.</summary>
/// <param name="Before">Null for its beginning.</param>
public sealed record SubscriptionEvent(DateTime At, string? By, string? Plan, string? Before, string After, DateTime? EndsAt);
