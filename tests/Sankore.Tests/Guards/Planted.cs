using Sankore.Tenancy;

// Offences for ModuleGuards to name: each uses what stands above the platform, each in another place.
namespace Sankore.Platform.Planted;

internal sealed class Base : HomePage;

internal sealed class Field
{
    public Func<Module> Planted = () => null!;
}

internal static class Parameter
{
    public static void Planted(Module? module) => _ = module?.ToString();
}

internal static class Argument
{
    public static List<List<Module[]>>? Planted => null;
}

internal static class Local
{
    public static object Planted(object o)
    {
        var module = o as Module;
        return ReferenceEquals(module, null) ? o : module.GetHashCode();
    }
}

internal static class Body
{
    public static int Planted() => Icons.All.Count;
}

internal static class Lambda
{
    public static Func<int> Planted(int n) => () =>
        n + new ModuleInput(null, null, null, null, null, null, null, null, null, null, null, null).GetHashCode();
}

internal static class Attribute
{
    [System.ComponentModel.TypeConverter(typeof(Module))]
    public static void Planted()
    {
    }
}

internal static class Root
{
    public static object Planted() => SankoreApp.Modules;
}
