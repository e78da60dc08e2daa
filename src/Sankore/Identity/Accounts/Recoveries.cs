using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Identity;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Security;

namespace Sankore.Identity;

/// <summary>The taking away of a lost second factor, on its way.</summary>
/// <param name="RequestedBy">Which administrator.</param>
/// <param name="DueAt">When it is done, unless somebody stops it.</param>
public sealed record Recovery(Guid Id, string RequestedBy, string Reason, DateTime RequestedAt, DateTime DueAt);

/// <summary>Why a second factor is to be taken away: 10 to 500 characters.</summary>
public sealed record RecoveryInput(string? Reason);

/// <summary>
/// Letting somebody in again who lost the second factor. An administrator asks for it, who has all that the person may
/// (rbac.give_recovery); the owner is told at once, and it is done two days later (<c>Sankore:RecoveryHours</c>) by a job that asks for all
/// of that again. Whoever signs in with the factor meanwhile has not lost it, and stops it.
/// </summary>
public sealed class Recoveries(Db db, UserManager<Account> users, AccountMails mails, IConfiguration configuration, TimeProvider time)
{
    private const string InsertSql = """
        insert into auth.recoveries (id, user_id, reason, due_at) values (@id, @userId, @reason, now() + @delay)
        """;

    private const string OpenSql = """
        select r.id, p.display_name as requested_by, r.reason, r.requested_at, r.due_at
        from auth.recoveries r join public.profiles p on p.id = r.requested_by
        where r.user_id = @userId and r.cancelled_at is null and r.completed_at is null
        """;

    private const string CancelSql = """
        update auth.recoveries set cancelled_at = now() where user_id = @userId and cancelled_at is null and completed_at is null
        """;

    /// <summary>
    /// Whether a person has a second factor, and what is on its way. Refuses with NOT_FOUND for whom the caller does not see.
    /// </summary>
    public Task<(bool HasFactor, Recovery? Open)> Of(Caller caller, Guid userId, CancellationToken ct) => db.Run(caller, async session =>
    {
        await session.One<string>("select email from public.profiles where id = @userId", new { userId });
        return await session.AsService(async s => (
            await s.Value<bool>("select two_factor_enabled from auth.users where id = @userId", new { userId }),
            await s.Find<Recovery>(OpenSql, new { userId })));
    }, ct);

    /// <summary>
    /// Asks for it. Refuses with VALIDATION_FAILED, NOT_FOUND, CONFLICT (it is on its way), UNPROCESSABLE (there is no factor),
    /// NOT_YOURS_TO_GIVE.
    /// </summary>
    public async Task Begin(Caller caller, Guid userId, RecoveryInput input, CancellationToken ct)
    {
        new Validation().Required("reason", input.Reason, 500).That("reason", input.Reason?.Trim().Length >= 10, "recovery.reason").Check();
        if (!(await Of(caller, userId, ct)).HasFactor)
        {
            throw new Refusal(Reason.Unprocessable);
        }
        var delay = TimeSpan.FromHours(configuration.GetValue("Sankore:RecoveryHours", 48.0));
        var id = Guid.CreateVersion7();
        await db.Run(caller, async session =>
        {
            await session.AsService(s => s.Execute(InsertSql, new { id, userId, reason = input.Reason!.Trim(), delay }));
            var email = await session.One<string>("select email from public.profiles where id = @userId", new { userId });
            await session.SendMail(mails.RecoveryNotice(email, time.GetUtcNow() + delay));
            await session.Enqueue(
                RecoveryJob.Type, new RecoveryJob.Payload(id, userId, CultureInfo.CurrentUICulture.Name), runAt: time.GetUtcNow() + delay);
        }, ct);
    }

    /// <summary>Stops it: an administrator, or the owner. Refuses with NOT_FOUND.</summary>
    public Task Cancel(Caller caller, Guid userId, CancellationToken ct) => db.Run(caller, async session =>
    {
        await session.One<string>("select email from public.profiles where id = @userId", new { userId });
        await session.AsService(s => s.ExecuteOne(CancelSql, new { userId }));
    }, ct);

    /// <summary>Stops it because the factor turned out not to be lost.</summary>
    internal static Task Found(Session server, Guid userId) => server.Execute(CancelSql, new { userId });

    /// <summary>Takes the factor away. Nothing when it was stopped, or when whoever asked for it may not any more.</summary>
    internal async Task Complete(Guid id, Guid userId, CancellationToken ct)
    {
        var stands = await db.Run(Caller.Service, session => session.Execute(
            "update auth.recoveries r set completed_at = now() where id = @id and cancelled_at is null and completed_at is null"
            + " and rbac.recovery_stands(r)", new { id }), ct);
        if (stands == 0 || await users.FindByIdAsync(userId.ToString()) is not { } account)
        {
            return;
        }
        var lost = await Passkeys.Lose(users, account);
        (account.AuthenticatorKey, account.RecoveryCodes) = (null, []);
        (await users.SetTwoFactorEnabledAsync(account, false)).Check();
        await mails.Notice(account.Email!, "two_factor");
        if (lost)
        {
            await mails.Notice(account.Email!, "passkey");
        }
    }
}

/// <summary>Takes a lost second factor away once the owner has had the time to say no.</summary>
public sealed class RecoveryJob(IServiceScopeFactory scopes) : IJobHandler
{
    internal const string Type = "account_recovery";

    internal sealed record Payload(Guid Id, Guid UserId, string Culture);

    public string JobType => Type;

    public async Task Run(Job job, CancellationToken ct)
    {
        var payload = job.Payload.Deserialize<Payload>() ?? throw new FinalFailure("no recovery in the job");
        CultureInfo.CurrentUICulture = CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(payload.Culture);
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<Recoveries>().Complete(payload.Id, payload.UserId, ct);
    }
}
