namespace Sankore.Platform.Security;

/// <summary>Who is asking: the identity that <see cref="Data.Db"/> tells PostgreSQL before the first statement.</summary>
/// <param name="Role">The database role that the work runs as: <c>anon</c>, <c>authenticated</c> or <c>service_role</c>.</param>
/// <param name="UserId">The person, for <c>authenticated</c>; null otherwise.</param>
public sealed record Caller(string Role, Guid? UserId)
{
    /// <summary>Nobody in particular: a request that is not signed in.</summary>
    public static Caller Anonymous { get; } = new("anon", null);

    /// <summary>The server itself: the account store, the live feed, the workers of jobs.</summary>
    public static Caller Service { get; } = new("service_role", null);

    /// <summary>The key that a service asks with; null for people and for the server itself.</summary>
    public Guid? KeyId { get; init; }

    /// <summary>A signed-in person.</summary>
    public static Caller Person(Guid userId) => new("authenticated", userId);

    /// <summary>A service, by its key.</summary>
    public static Caller Key(Guid keyId) => Service with { KeyId = keyId };

    /// <summary>The server, for somebody: in whose name it is done, the database still knows.</summary>
    public Caller AsService() => this with { Role = Service.Role };

    /// <summary>What <c>auth.uid()</c> and <c>auth.key_id()</c> read; the role is the transaction's own.</summary>
    internal string Claims => UserId is { } id ? $$"""{"sub":"{{id}}"}""" : KeyId is { } key ? $$"""{"key":"{{key}}"}""" : "{}";
}
