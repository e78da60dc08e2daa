using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;

namespace Sankore.Campaigns;

/// <summary>A message to start campaigns from (document 001, « email_templates »).</summary>
/// <param name="Subject">One line, with merge fields (<see cref="MergeText"/>).</param>
/// <param name="Content">HTML, a whole document or a part of one, with merge fields; as its author wrote it.</param>
/// <param name="Design">What <paramref name="Content"/> was made of; null: its author wrote the HTML.</param>
public sealed record EmailTemplate(
    Guid Id, string Name, string Subject, string Content, int Version, DateTime CreatedAt, DateTime UpdatedAt,
    MessageDesign? Design) : IVersioned;

/// <summary>A template in a list: without its content.</summary>
public sealed record TemplateLine(Guid Id, string Name, string Subject, int Version, DateTime CreatedAt, DateTime UpdatedAt);

/// <summary>What a person writes of a template.</summary>
/// <param name="Name">1 to 120 characters; several templates may share it.</param>
/// <param name="Subject">1 to 250 characters, on one line.</param>
/// <param name="Content">1 to 500,000 characters of HTML; made of <paramref name="Design"/> where there is one.</param>
/// <param name="Version">The version that a change is based on, unless <c>If-Match</c> says it.</param>
/// <param name="Design">The message in blocks.</param>
public sealed record TemplateInput(string? Name, string? Subject, string? Content, int? Version, MessageDesign? Design = null)
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxName = 120;

    /// <summary>The input in its one form; the content is left byte for byte. Refuses with VALIDATION_FAILED.</summary>
    internal TemplateInput Normalized()
    {
        var input = this with { Name = Texts.Blank(Name), Subject = Texts.Blank(Subject), Design = Design?.Normalized() };
        var validation = new Validation().Required("name", input.Name, MaxName);
        // What a design becomes is looked at when it has become it.
        (Design is null ? validation.Message(input.Subject, Content)
            : validation.Required("subject", input.Subject, MessageRules.MaxSubject)).Check();
        return input;
    }
}
