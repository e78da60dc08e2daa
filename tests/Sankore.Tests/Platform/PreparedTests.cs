using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Sankore.Platform.Data;
using Sankore.Platform.Security;

namespace Sankore.Tests.Platform;

/// <summary>
/// Connections prepare what they are asked again, and are shared: a statement that fails just then harms nobody after it.
/// </summary>
public sealed class PreparedTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(2, true)]
    public async Task A_statement_that_failed_in_planning_works_again_on_the_same_connection(
        int failures, bool inTransaction)
    {
        await using var source =
            NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(world.AppConnection) { MaxPoolSize = 1 }.ConnectionString);
        var db = new Db(source, world.App.Services.GetRequiredService<ReasonBook>());
        Task<int> Divide(int divisor) => inTransaction
            ? db.Run(
            Caller.Service, session => session.Value<int>("select 10 / @divisor", new { divisor }), TestContext.Current.CancellationToken)
            : db.Read(
            Caller.Service, session => session.Value<int>("select 10 / @divisor", new { divisor }), TestContext.Current.CancellationToken);
        for (var i = 0; i < failures; i++)
        {
            (await Should.ThrowAsync<PostgresException>(() => Divide(0))).SqlState.ShouldBe(PostgresErrorCodes.DivisionByZero);
        }

        (await Divide(5)).ShouldBe(2);
    }
}
