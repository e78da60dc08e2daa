using System.Collections.Frozen;
using Npgsql;
using Sankore.Platform.Security;

namespace Sankore.Platform.Data;

/// <summary>What the database's own refusals mean to people: constraint names and SQL reasons of every module, in one book.</summary>
public sealed class ReasonBook(IEnumerable<SankoreModule> modules)
{
    private readonly FrozenDictionary<string, Reason> _byConstraint = modules.SelectMany(m => m.Constraints)
        .ToFrozenDictionary(c => c.Key, c => c.Value);
    private readonly FrozenDictionary<string, Reason> _byCode = modules.SelectMany(m => m.Reasons).Concat(Reason.Common)
        .DistinctBy(r => r.Code).ToFrozenDictionary(r => r.Code);

    /// <summary>Every reason, by code.</summary>
    public IReadOnlyDictionary<string, Reason> All => _byCode;

    /// <summary>The refusal that a PostgreSQL error stands for; null for one that is a fault of ours.</summary>
    public Refusal? For(PostgresException e) => e.SqlState switch
    {
        "SK001" => _byCode.TryGetValue(e.MessageText, out var reason) ? new Refusal(reason) : null,
        _ when e.ConstraintName is { } name && _byConstraint.TryGetValue(name, out var reason) => new Refusal(reason),
        PostgresErrorCodes.InsufficientPrivilege => new Refusal(Reason.Forbidden),
        PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.ExclusionViolation => new Refusal(Reason.Conflict),
        PostgresErrorCodes.ForeignKeyViolation or PostgresErrorCodes.RestrictViolation => new Refusal(Reason.InUse),
        PostgresErrorCodes.CheckViolation or PostgresErrorCodes.NotNullViolation => new Refusal(Reason.Unprocessable),
        PostgresErrorCodes.UntranslatableCharacter or PostgresErrorCodes.CharacterNotInRepertoire => new Refusal(Reason.BadRequest),
        _ => null,
    };
}
