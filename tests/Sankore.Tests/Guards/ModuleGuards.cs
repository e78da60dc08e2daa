using System.Reflection;

namespace Sankore.Tests.Guards;

/// <summary>Modules depend downwards only (architecture.md, « Layout »), as read from the compiled assembly.</summary>
public sealed class ModuleGuards
{
    /// <summary>
    /// What each module may use besides itself. Whatever is not listed puts the server together, and nothing listed may use it.
    /// </summary>
    private static readonly Dictionary<string, string[]> Below = new()
    {
        ["Platform"] = [],
        ["Ui"] = ["Platform"],
        ["Identity"] = ["Platform", "Ui"],
        ["Rbac"] = ["Platform", "Ui", "Identity"],
        ["Tenancy"] = ["Platform", "Ui", "Identity", "Rbac"],
        ["Campaigns"] = ["Platform", "Ui", "Identity", "Rbac", "Tenancy"],
        ["Operations"] = ["Platform", "Ui"],
    };

    /// <summary>The pieces of the composition root.</summary>
    private static readonly string[] Roots = ["Demo", "Server", "SankoreApp", "Program"];

    [Fact]
    public void Modules_use_only_what_stands_below_them() => Breaches(typeof(SankoreApp).Assembly).ShouldBeEmpty();

    [Fact]
    public void A_use_of_what_stands_above_is_named_wherever_it_hides()
    {
        var breaches = Breaches(typeof(ModuleGuards).Assembly);
        foreach (var part in (string[])["Base", "Field", "Parameter", "Argument", "Local", "Body", "Lambda", "Attribute", "Root"])
        {
            breaches.ShouldContain(b => b.StartsWith($"Sankore.Platform.Planted.{part}", StringComparison.Ordinal), part);
        }
    }

    [Fact]
    public void Every_module_has_its_place_in_the_order()
    {
        foreach (var module in SankoreApp.Modules)
        {
            Below.ShouldContainKey(module.Name);
        }
        typeof(SankoreApp).Assembly.GetTypes().Select(ModuleOf).OfType<string>().Distinct().ShouldBeSubsetOf(Below.Keys.Concat(Roots));
    }

    /// <summary>Uses that go upwards, as <c>who → whom</c>.</summary>
    private static List<string> Breaches(Assembly assembly) =>
    [
        .. from user in assembly.GetTypes()
           let module = ModuleOf(user)
           where module is not null && Below.ContainsKey(module)
           from used in References.Of(user)
           let other = ModuleOf(used)
           where other is not null && other != module && !Below[module].Contains(other)
           select $"{user.FullName} → {used.FullName}",
    ];

    /// <summary>
    /// The module that a type belongs to: its outermost type's folder. The types beside Program.cs that modules are made of are the
    /// platform's.
    /// </summary>
    private static string? ModuleOf(Type type)
    {
        while (type.DeclaringType is { } outer)
        {
            type = outer;
        }
        return type.Namespace?.Split('.') switch
        {
            ["Sankore"] =>
                type.Name is nameof(SankoreModule) or nameof(MenuEntry) or nameof(HomePart) or nameof(SearchPart) ? "Platform"
                    : type.Name is "_Imports" ? null : type.Name,
            ["Sankore", "Tests", ..] => null,
            ["Sankore", var folder, ..] => folder,
            _ => null,
        };
    }
}
