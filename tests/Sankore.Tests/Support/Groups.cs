using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Sankore.Tests.Support.LongestFirst))]

namespace Sankore.Tests.Support;

/// <summary>
/// Tests that start programs and kill them: one after the other and beside nothing else, so that they hold on a busy machine.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProgramTests
{
    /// <summary>The group's name.</summary>
    public const string Name = "programs";
}

/// <summary>Those who take longest begin first, so that nobody waits for them in the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest =
    [
        "AccessibilityTests", "FeedIsolationTests", "FuzzTests", "RescueTests", "SyncTests", "LoadTests", "ContactImportTests",
            "SendingTests", "CountsTests", "IsolationTests", "TruthTableTests", "StateTests",
    ];

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(
            c => Array.FindIndex(Longest, name => c.TestCollectionDisplayName.Contains($".{name} ", StringComparison.Ordinal)) is >= 0
            and var place ? place : Longest.Length)];
}
