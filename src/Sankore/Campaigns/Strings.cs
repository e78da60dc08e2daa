namespace Sankore.Campaigns;

/// <summary>The module's texts (Strings.resx in French, Strings.en.resx in English).</summary>
public sealed class Strings;
