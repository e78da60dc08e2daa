namespace Sankore.Platform.Security;

/// <summary>Who is asking: the identity that <see cref="Data.Db"/> tells PostgreSQL before the first statement.</summary>
/// <param name="Role">The database role that the work runs as: <c>anon</c>, <c>authenticated</c> or <c>service_role</c>.</param>
/// <param name="UserId">The person, for <c>authenticated</c>; null otherwise.</param>
public sealed record Caller(string Role, Guid? UserId)
{
    /// <summary>Nobody in particular: a request that is not signed in.</summary>
    public static Caller Anonymous { get; } = new("anon", null);

    /// <summary>The server itself: the account store, the live feed, the workers of jobs, and API keys.</summary>
    public static Caller Service { get; } = new("service_role", null);

    /// <summary>A signed-in person.</summary>
    public static Caller Person(Guid userId) => new("authenticated", userId);

    /// <summary>The claims that <c>auth.jwt()</c> reads.</summary>
    internal string Claims => UserId is { } id ? $$"""{"sub":"{{id}}","role":"{{Role}}"}""" : $$"""{"role":"{{Role}}"}""";
}
