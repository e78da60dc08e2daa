using Microsoft.AspNetCore.Components;
using Sankore.Platform.Security;

namespace Sankore.Ui;

/// <summary>What every labelled control of a form has.</summary>
public abstract class FieldBase : ComponentBase
{
    /// <summary>The field's name, in the form's model and in a refusal.</summary>
    [Parameter, EditorRequired]
    public string Name { get; set; } = "";

    /// <summary>Its id on the page, where two forms have a field of the name.</summary>
    [Parameter]
    public string? Id { get; set; }

    [Parameter, EditorRequired]
    public string Label { get; set; } = "";

    /// <summary>The property that the form binds, if its name is not <c>Form.Name</c> with a capital.</summary>
    [Parameter]
    public string Form { get; set; } = "Form";

    /// <summary>The name under which it is posted, where no property of the page takes it.</summary>
    [Parameter]
    public string? Posted { get; set; }

    [Parameter]
    public string? Value { get; set; }

    [Parameter]
    public string? Hint { get; set; }

    [Parameter]
    public string? Class { get; set; }

    /// <summary>Whether it must be filled in.</summary>
    [Parameter]
    public bool Required { get; set; }

    /// <summary>Why the last attempt was refused.</summary>
    [Parameter]
    public Refusal? Refusal { get; set; }

    /// <summary>Whether the refusal speaks of it first.</summary>
    protected bool IsFirstError => Refusal?.Fields.Keys.FirstOrDefault() == Name;

    /// <summary>The value of <c>aria-invalid</c>.</summary>
    protected string? Invalid => HasError ? "true" : null;

    /// <summary>The value of <c>aria-describedby</c>: the message, or else the word of help.</summary>
    protected string? DescribedBy => HasError ? Key + "-err" : Hint is null ? null : Key + "-hint";

    /// <summary>The name under which it is posted.</summary>
    protected string FormName => Posted ?? $"{Form}.{char.ToUpperInvariant(Name[0])}{Name[1..]}";

    /// <summary>The id of the control.</summary>
    protected string Key => Id ?? Name;

    private bool HasError => Refusal?.Fields.ContainsKey(Name) == true;
}
