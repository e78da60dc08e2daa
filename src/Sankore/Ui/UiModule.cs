namespace Sankore.Ui;

/// <summary>Shell, layout and components of the pages.</summary>
public sealed class UiModule : SankoreModule;
