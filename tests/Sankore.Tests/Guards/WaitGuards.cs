using System.Text.RegularExpressions;

namespace Sankore.Tests.Guards;

/// <summary>
/// No thread of the server waits for a task. Where many do at once, none is left to complete what they wait for: a node stood still for ten
/// seconds and more when hundreds came with tokens of a key that it had not read yet.
/// </summary>
public sealed partial class WaitGuards
{
    [Fact]
    public void No_thread_waits_for_a_task() =>
        Repository.SourceFiles("*.cs", "*.razor").Where(path => Waits(File.ReadAllText(path))).Select(Repository.Name).ShouldBeEmpty();

    [Theory]
    [InlineData("db.Read(caller, work, ct).GetAwaiter().GetResult();")]
    [InlineData("db.Read(caller, work, ct)\n    .GetAwaiter()\n    .GetResult();")]
    [InlineData("Save().Wait();")]
    [InlineData("Save().Wait(1000);")]
    [InlineData("Task.WaitAll(first, second);")]
    [InlineData("var rows = Read().Result;")]
    public void A_thread_that_waits_is_named(string text) => Waits(text).ShouldBeTrue();

    [Theory]
    [InlineData("await Save().WaitAsync(ct);")]
    [InlineData("wake.WaitOne(10);")]
    [InlineData("if (known.IsCompletedSuccessfully && Concerned(known.Result.Topics))")]
    public void What_waits_for_no_task_is_not_named(string text) => Waits(text).ShouldBeFalse();

    private static bool Waits(string text) => Waiting().IsMatch(text);

    [GeneratedRegex(@"\.GetAwaiter\(\)\s*\.GetResult\(|\.Wait\(|\bTask\.Wait(All|Any)\(|\)\s*\.Result\b")]
    private static partial Regex Waiting();
}
