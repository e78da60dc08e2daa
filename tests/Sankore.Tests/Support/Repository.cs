namespace Sankore.Tests.Support;

/// <summary>The checkout that the tests run in.</summary>
public static class Repository
{
    /// <summary>Its top folder.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    /// <summary>The program's project folder.</summary>
    public static string Source => Path.Combine(Root, "src", "Sankore");

    /// <summary>The files of some folders, however deep, whose names are of one of some patterns.</summary>
    public static IEnumerable<string> Files(IEnumerable<string> folders, params string[] patterns) =>
        from folder in folders
        from pattern in patterns
        from path in Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
        select path;

    /// <summary>The program's own files whose names are of one of some patterns.</summary>
    public static IEnumerable<string> SourceFiles(params string[] patterns) => Files([Source], patterns);

    /// <summary>A file as seen from the top folder.</summary>
    public static string Name(string path) => Path.GetRelativePath(Root, path);

    private static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "Sankore.slnx")) ? folder : Find(Path.GetDirectoryName(folder)!);
}
