namespace Sankore.Tests.Support;

/// <summary>The checkout that the tests run in.</summary>
public static class Repository
{
    /// <summary>Its top folder.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    /// <summary>The program's project folder.</summary>
    public static string Source => Path.Combine(Root, "src", "Sankore");

    private static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "Sankore.slnx")) ? folder : Find(Path.GetDirectoryName(folder)!);
}
