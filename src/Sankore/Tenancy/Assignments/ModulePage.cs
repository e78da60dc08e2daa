using System.Reflection;
using Microsoft.AspNetCore.Components;
using Sankore.Ui;

namespace Sankore.Tenancy;

/// <summary>
/// A page of a module of the catalogue, which its <see cref="RequireModuleAttribute"/> names. It offers what the person may do there,
/// and every form asks for its right again before it does anything.
/// </summary>
public abstract class ModulePage : SankorePage
{
    [Inject]
    private ModuleAccess Access { get; set; } = default!;

    /// <summary>Whether to offer what needs a right.</summary>
    protected bool May(ModuleRight right) => Http.MayInModule(right);

    /// <summary>Runs what a form does, if the person may write in the module.</summary>
    protected sealed override Task Try(Func<Task<string?>> act) => Try(ModuleRight.Write, act);

    /// <summary>Runs what a form does, if the person has the right.</summary>
    protected Task Try(ModuleRight right, Func<Task<string?>> act) => base.Try(async () =>
    {
        await Access.Require(Caller, GetType().GetCustomAttribute<RequireModuleAttribute>()!.Code, right, Ct);
        return await act();
    });
}
