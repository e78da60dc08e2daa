using Sankore.Platform.Security;
using Sankore.Platform.Text;

namespace Sankore.Tenancy;

/// <summary>What the inputs of the catalogue and the network have in common.</summary>
internal static class Inputs
{
    /// <summary>A code in its one form, out of the name when none is given.</summary>
    public static string Code(string? code, string? name) => Codes.Normalize(Texts.Blank(code) ?? name);

    /// <summary>Whether a code in its one form is one.</summary>
    public static bool IsCode(string? code) => code is { Length: > 0 and <= 64 };

    /// <summary>Says a refusal beside the one field that it concerns.</summary>
    public static async Task<T> At<T>(string field, Reason reason, Func<Task<T>> save)
    {
        try
        {
            return await save();
        }
        catch (Refusal refusal) when (refusal.Reason == reason && refusal.Fields.Count == 0)
        {
            throw Refusal.At(field, reason);
        }
    }
}
