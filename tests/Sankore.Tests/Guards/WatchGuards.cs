using System.Text.RegularExpressions;
using Npgsql;

namespace Sankore.Tests.Guards;

/// <summary>A page that says which tables it reads is told when they change.</summary>
public sealed partial class WatchGuards(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    private const string Attribute = "data-reads=\"";

    // Told row by row, to each audience in its own terms (decision 14).
    private static readonly string[] ToldByRow = ["tenancy.modules", "tenancy.business_categories"];

    [Fact]
    public async Task Every_table_that_a_page_reads_is_watched()
    {
        var read = Repository.SourceFiles("*.razor").SelectMany(page => Tables(File.ReadAllText(page))).ToHashSet();
        read.Count.ShouldBeGreaterThan(10);
        (await Unwatched(read)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_table_that_nothing_watches_is_named() => (await Unwatched(Tables("""
        <dl data-reads="tenancy.schools @(Id is null ? null : "tenancy.invited_places")" data-row="tenancy.told_audiences:@Id"></dl>
        """))).ShouldBe(["tenancy.invited_places"]);

    private static IEnumerable<string> Tables(string page)
    {
        for (
            var at = page.IndexOf(Attribute, StringComparison.Ordinal); at >= 0;
            at = page.IndexOf(Attribute, at + 1, StringComparison.Ordinal))
        {
            foreach (Match table in Table().Matches(Value(page[(at + Attribute.Length)..])))
            {
                yield return table.Value;
            }
        }
    }

    /// <summary>An attribute's value, in which an expression may have quotes of its own.</summary>
    private static string Value(string text)
    {
        var depth = 0;
        return string.Concat(text.TakeWhile(c => (depth += c switch { '(' => 1, ')' => -1, _ => 0 }) > 0 || c != '"'));
    }

    private async Task<IReadOnlyList<string>> Unwatched(IEnumerable<string> tables)
    {
        await using var connection = new NpgsqlConnection(world.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "select distinct tgrelid::regclass::text from pg_trigger where tgfoid = 'live.note_change'::regproc", connection);
        await using var reader = await command.ExecuteReaderAsync();
        var told = ToldByRow.ToHashSet();
        while (await reader.ReadAsync())
        {
            told.Add(reader.GetString(0));
        }
        return [.. tables.Where(table => !told.Contains(table)).Order(StringComparer.Ordinal)];
    }

    [GeneratedRegex("[a-z_]+[.][a-z_]+")]
    private static partial Regex Table();
}
