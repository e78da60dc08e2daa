namespace Sankore.Platform;

/// <summary>The platform's own texts (Strings.resx in French, Strings.en.resx in English).</summary>
public sealed class Strings;
