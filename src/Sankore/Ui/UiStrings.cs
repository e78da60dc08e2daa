namespace Sankore.Ui;

/// <summary>Ui's texts.</summary>
public sealed class UiStrings;
